"""The digest of the parameters: all that makes a model what it is, beside data, image and seed."""

from typing import Any

from tests.process.training import pods
from trimtab.api.wire.runs import Run
from trimtab.training import environment, folders


def digest(**data: Any) -> str:
    run = Run.model_validate(pods.run(pods.dataset("pvc://data/rows.csv", **data)))
    return environment.parameters_digest(run, folders.job(run))


def test_how_cells_are_read_makes_the_model_too() -> None:
    assert len({digest(), digest(csv={"missing": ["NA"]}), digest(csv={"missing": ["NA", "-"]})}) == 3
