"""What the slim image does not have, the server of ONNX models must not ask for. Seen in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.serving import make

BLOCKED = [
    "sklearn",
    "scipy",
    "pandas",
    "pyarrow",
    "skops",
    "joblib",
    "xgboost",
    "lightgbm",
    "onnx",
    "skl2onnx",
    "kopf",
    "kubernetes",
    "grpc",
    "pydantic",
]
LOADER = """
import importlib.abc, sys
from pathlib import Path
blocked = set(sys.argv[2].split(","))

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError(f"{name} is not in this image")

sys.meta_path.insert(0, Blocker())
import pickle
def forbidden(*arguments, **named):
    raise RuntimeError("something was unpickled")

pickle.load = pickle.loads = pickle.Unpickler = forbidden
from trimtab.serving import __main__, fetch, inference, loading, monitoring, pages, process
folder = Path(sys.argv[1])
served = loading.load(loading.config(folder / "serving.json"), folder / "model")
assert served.signature.classes == ("no", "yes")
assert served.profile is not None
assert not blocked & {name.split(".")[0] for name in sys.modules}, blocked & set(sys.modules)
print("served")
"""


def test_an_onnx_model_is_served_without_scikit_learn_pandas_pydantic_kopf_or_grpc_and_unpickles_nothing(tmp_path: Path) -> None:
    serving = make.folder(tmp_path / "model", reference=make.profile())
    (tmp_path / "serving.json").write_text(serving.to_json())
    names = ",".join(BLOCKED)
    done = _loaded(tmp_path, names, {**os.environ})
    assert (done.stdout, done.returncode) == ("served\n", 0), done.stderr


def test_onnx_runtime_tells_nobody_and_leaves_no_identifier(tmp_path: Path) -> None:
    serving = make.folder(tmp_path / "model", reference=make.profile())
    (tmp_path / "serving.json").write_text(serving.to_json())
    home = tmp_path / "home"
    home.mkdir()
    suppressing = ("CI", "ORT_", "GITHUB_", "BUILD_", "XDG_", "TF_BUILD", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(suppressing)}
    done = _loaded(tmp_path, "none", {**kept, "HOME": str(home)})
    assert (done.stdout, done.returncode) == ("served\n", 0), done.stderr
    assert "elemetry" not in done.stderr
    assert list(home.rglob("*")) == []


def _loaded(folder: Path, blocked: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LOADER, str(folder), blocked]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
