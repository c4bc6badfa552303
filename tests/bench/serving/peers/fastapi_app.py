# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""What an ordinary user writes: FastAPI, pydantic and scikit-learn. `MODEL` is the folder of `model.joblib`.

Runs in the virtual environment of `requirements-fastapi.txt`, by uvicorn.
"""

import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model: Any = joblib.load(Path(os.environ["MODEL"]) / "model.joblib")


class Numbers(BaseModel):
    """Rows of numbers."""

    instances: list[list[float]]


class Mixed(BaseModel):
    """Rows of named values."""

    instances: list[dict[str, float | str]]


class Answer(BaseModel):
    """One label a row."""

    predictions: list[int]


@app.get("/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/def/numbers")
def numbers(body: Numbers) -> Answer:
    return Answer(predictions=model.predict(body.instances).tolist())


@app.post("/async/numbers")
async def numbers_async(body: Numbers) -> Answer:
    return Answer(predictions=model.predict(body.instances).tolist())


@app.post("/def/mixed")
def mixed(body: Mixed) -> Answer:
    return Answer(predictions=model.predict(pd.DataFrame(body.instances)).tolist())


@app.post("/async/mixed")
async def mixed_async(body: Mixed) -> Answer:
    return Answer(predictions=model.predict(pd.DataFrame(body.instances)).tolist())
