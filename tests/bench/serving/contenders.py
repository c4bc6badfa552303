"""Who is compared: ours in its variants, and the peers, each with the command that starts it for one model."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.serving import venvs
from tests.bench.serving.models import Prepared
from tests.bench.serving.processes import Launch, free_port
from tests.bench.serving.requests import Form
from tests.process.training.pods import OPERATOR

OURS, UNCONVERTED, UNCOUNTED = "Trimtab", "Trimtab, scikit-learn", "Trimtab, not counting"
MLSERVER, MLSERVER_DEFAULT = "MLServer in process", "MLServer default"
KSERVE = "KServe (kserve package, sklearn model)"
BENTOML, FASTAPI, FASTAPI_ASYNC = "BentoML", "FastAPI def", "FastAPI async def"
_PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Started:
    """What it takes to start one contender and to ask it."""

    launch: Launch
    path: str
    """Of inference."""
    grpc_port: int | None = None


@dataclass(frozen=True)
class Contender:
    """One server. `start` makes the folder's files that it needs; it may install the peer first."""

    name: str
    form: Form
    start: Callable[[Prepared, Path], Started]
    peer: bool = True
    named: bool = True
    """Whether V2 requests name the output: KServe's model knows its only one by no name."""


def _ours(artifact: Callable[[Prepared], Path]) -> Callable[[Prepared, Path], Started]:
    def start(prepared: Prepared, folder: Path) -> Started:
        source, port, grpc = artifact(prepared), free_port(), free_port()
        environment = {
            "PYTHONPATH": str(OPERATOR),
            "TRIMTAB_SERVING": str(source / "serving.json"),
            "TRIMTAB_MODEL": str(source / "model"),
            "TRIMTAB_TERMINATION": str(folder / "termination"),
            "TRIMTAB_HOST": "127.0.0.1",
            "TRIMTAB_PORT": str(port),
            "TRIMTAB_GRPC_PORT": str(grpc),
            "TRIMTAB_MONITORING_PORT": str(free_port()),
            "TRIMTAB_DRAIN_SECONDS": "0",
            "TRIMTAB_GRACE_SECONDS": "3",
            "TRIMTAB_POD_UID": "bench",
        }
        command = (sys.executable, "-m", "trimtab.serving")
        launch = Launch(command, _ready(prepared), port, environment, folder)
        return Started(launch, _infer(prepared), grpc)

    return start


def _mlserver(workers: int) -> Callable[[Prepared, Path], Started]:
    def start(prepared: Prepared, folder: Path) -> Started:
        python, port, grpc = venvs.python("mlserver"), free_port(), free_port()
        settings = {
            "name": prepared.workload.key,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str(prepared.joblib / "model.joblib"), "version": "1"},
        }
        (folder / "model-settings.json").write_text(json.dumps(settings))
        environment = {
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_DEBUG": "false",
            "MLSERVER_HTTP_PORT": str(port),
            "MLSERVER_GRPC_PORT": str(grpc),
            "MLSERVER_METRICS_PORT": str(free_port()),
            "MLSERVER_METRICS_DIR": str(folder),
            "MLSERVER_PARALLEL_WORKERS": str(workers),
        }
        command = (str(python.with_name("mlserver")), "start", str(folder))
        return Started(Launch(command, _ready(prepared), port, environment, folder), _infer(prepared), grpc)

    return start


def _kserve(prepared: Prepared, folder: Path) -> Started:
    python, port, grpc = venvs.python("kserve"), free_port(), free_port()
    ports = ("--http_port", str(port), "--grpc_port", str(grpc))
    command = (str(python), str(_PEERS / "kserve_model.py"), "--model_name", prepared.workload.key, *ports)
    launch = Launch(command, _ready(prepared), port, {"MODEL": str(prepared.joblib)}, folder)
    return Started(launch, _infer(prepared), grpc)


def _bentoml(prepared: Prepared, folder: Path) -> Started:
    python, port = venvs.python("bentoml"), free_port()
    environment = {
        "MODEL": str(prepared.joblib),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "home"),
        "PATH": f"{python.parent}:/usr/bin:/bin",
    }
    address = ("--host", "127.0.0.1", "--port", str(port))
    command = (
        str(python.with_name("bentoml")),
        "serve",
        "bento_service:Service",
        "--working-dir",
        str(_PEERS),
        *address,
    )
    return Started(Launch(command, "/readyz", port, environment, folder), f"/{_kind(prepared)}")


def _fastapi(route: str) -> Callable[[Prepared, Path], Started]:
    def start(prepared: Prepared, folder: Path) -> Started:
        python, port = venvs.python("fastapi"), free_port()
        command = (str(python), "-m", "uvicorn", "fastapi_app:app", "--app-dir", str(_PEERS), "--port", str(port))
        launch = Launch((*command, "--no-access-log"), "/ready", port, {"MODEL": str(prepared.joblib)}, folder)
        return Started(launch, f"/{route}/{_kind(prepared)}")

    return start


def _ready(prepared: Prepared) -> str:
    return f"/v2/models/{prepared.workload.key}/ready"


def _infer(prepared: Prepared) -> str:
    return f"/v2/models/{prepared.workload.key}/infer"


def _kind(prepared: Prepared) -> str:
    return "mixed" if prepared.workload.mixed else "numbers"


CONTENDERS = (
    Contender(OURS, "V2", _ours(lambda prepared: prepared.published), peer=False),
    Contender(UNCONVERTED, "V2", _ours(lambda prepared: prepared.unconverted), peer=False),
    Contender(UNCOUNTED, "V2", _ours(lambda prepared: prepared.uncounted), peer=False),
    Contender(MLSERVER, "V2", _mlserver(0)),
    Contender(MLSERVER_DEFAULT, "V2", _mlserver(1)),
    Contender(KSERVE, "V2", _kserve, named=False),
    Contender(BENTOML, "Instances", _bentoml),
    Contender(FASTAPI, "Instances", _fastapi("def")),
    Contender(FASTAPI_ASYNC, "Instances", _fastapi("async")),
)
