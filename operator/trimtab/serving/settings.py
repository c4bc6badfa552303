"""What the environment of the process may say. Read once; opens nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the environment variable `TRIMTAB_` and its name in capitals."""

    serving: Path
    """serving.json, written by the operator."""
    model: Path
    """Folder that the init container fills and the server reads."""
    termination: Path
    """Where Kubernetes reads why a container ended."""
    host: str
    """Address to listen on; empty: all, IPv4 and IPv6."""
    port: int
    """V2 REST, probes and metrics."""
    monitoring_port: int
    """Counts for the operator."""
    grpc_port: int | None
    """V2 over gRPC; None, where the variable is empty: not at all."""
    drain_seconds: float
    """After SIGTERM, how long requests are still taken while the cluster removes this pod from its endpoints."""
    grace_seconds: float
    """The pod's termination grace period: the process ends by itself shortly before."""
    hot: bool
    """Whether inference requests go the fast way (variable `TRIMTAB_HOT`, 1 or 0); the usual one answers alike."""
    pod: str
    """uid of the pod (variable `TRIMTAB_POD_UID`)."""


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, with their defaults; raises `ValueError` naming the variable that is wrong."""
    get = environment.get
    return Settings(
        serving=Path(get("TRIMTAB_SERVING", "/trimtab/config/serving.json")),
        model=Path(get("TRIMTAB_MODEL", "/trimtab/model")),
        termination=Path(get("TRIMTAB_TERMINATION", "/dev/termination-log")),
        host=get("TRIMTAB_HOST", ""),
        port=_port("TRIMTAB_PORT", get("TRIMTAB_PORT", "8080")),
        monitoring_port=_port("TRIMTAB_MONITORING_PORT", get("TRIMTAB_MONITORING_PORT", "8082")),
        grpc_port=_port("TRIMTAB_GRPC_PORT", port) if (port := get("TRIMTAB_GRPC_PORT", "")) else None,
        drain_seconds=_seconds("TRIMTAB_DRAIN_SECONDS", get("TRIMTAB_DRAIN_SECONDS", "5")),
        grace_seconds=_seconds("TRIMTAB_GRACE_SECONDS", get("TRIMTAB_GRACE_SECONDS", "30")),
        hot=_switch("TRIMTAB_HOT", get("TRIMTAB_HOT", "1")),
        pod=get("TRIMTAB_POD_UID", ""),
    )


def _port(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"{name} is {text!r}: a port from 0 to 65535 is needed")
    return int(text)


def _switch(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"{name} is {text!r}: 0 or 1 is needed")
    return text == "1"


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86400:
        raise ValueError(f"{name} is {text!r}: seconds from 0 to 86400 are needed")
    return value
