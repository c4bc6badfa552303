"""Settings of the operator process, read once from environment variables `TRIMTAB_…`. `--help` lists them."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an admin may set. Every field is the environment variable `TRIMTAB_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="TRIMTAB_", use_attribute_docstrings=True, frozen=True)

    operator_namespace: str = Field(default="trimtab-system", min_length=1, max_length=63)
    """Where the operator runs: its Lease lives there, and only pods of that namespace may poll the model servers."""
    namespaces: str = ""
    """Namespaces to watch, separated by commas; empty: all."""
    server_image: str = "trimtab-server:latest"
    """Image of the model server for ONNX; also fetches artifacts."""
    trainer_image: str = "trimtab-trainer:latest"
    """Image of the training steps; also serves models that need scikit-learn."""
    store_claim: str = ""
    """A PersistentVolumeClaim of this name, in the Model's own namespace, holds the models of those that name no store."""
    workers: int = Field(default=8, ge=1, le=64)
    """How many objects are worked on at once."""
    connections: int = Field(default=32, ge=2, le=256)
    """How many connections to the API server, beside one for each watched kind."""
    resync: float = Field(default=36000.0, ge=60)
    """Seconds between two looks at an object nothing was heard of."""
    repair: float = Field(default=600.0, ge=10)
    """Seconds between two comparisons of the cache with the API server."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /metrics, /healthz and /readyz."""
    monitoring_port: int = Field(default=8082, ge=1, le=65535)
    """Port at which model servers answer the operator's polls."""
    series_features: int = Field(default=100, ge=0, le=200)
    """How many features of a deployment have series of their own: the most important ones."""
    series_features_total: int = Field(default=20_000, ge=0)
    """How many features of all deployments together have: beyond it each has half as many, or half of that."""
    lease_name: str = "trimtab-operator"
    """Name of the Lease that makes one replica the leader."""
    lease_seconds: float = Field(default=15.0, ge=2)
    """How long a Lease holds without renewal."""
    identity: str = ""
    """Holder named in the Lease; the host's name and a random part when empty."""
    log_format: Literal["json", "text"] = "json"
    """Form of the log lines."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""


def table() -> str:
    """The settings as text for `--help`."""
    lines = ["Settings are environment variables:", ""]
    for name, field in Settings.model_fields.items():
        default = "" if field.default == "" else f" (default {field.default})"
        lines.append(f"  TRIMTAB_{name.upper()}{default}\n      {field.description}")
    return "\n".join(lines)
