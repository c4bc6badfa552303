"""`trimtab drift`: from a deployment's name to its report. Gathers; `report` puts together."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from trimtab.api.modeldeployment import ModelDeployment
from trimtab.api.wire.base import SchemaTooNewError
from trimtab.api.wire.profiles import profile_from_json
from trimtab.cli import report
from trimtab.cli.cluster import AskError, Cluster, Object
from trimtab.cli.report import Report, Subject
from trimtab.drift import archive, windows
from trimtab.drift.profile import Profile, faults
from trimtab.drift.windows import Ledger
from trimtab.plan import budgets, serving

SHORT_NAMES = ("mdep/", "modeldeployment/", "modeldeployments/", "modeldeployment.trimtab.dev/")


def gathered(cluster: Cluster, namespace: str, name: str, scale: int | None, now: float) -> Report:
    """The report on the version that serves. `name`: of a ModelDeployment, also as `mdep/name`. `now`: seconds since the
    epoch. Raises `AskError`, and ValueError for a scale that is not judged."""
    deployment = cluster.deployment(namespace, bare(name))
    child = _child(deployment)
    profile = _profile(cluster, namespace, deployment["status"]["selector"])
    stored = cluster.config_map(namespace, serving.counts_name(child))
    settings = budgets.stated(ModelDeployment.model_validate(deployment).spec.monitoring, profile)
    ledger = _ledger(stored, profile, settings.window_seconds, now)
    return report.report(_subject(namespace, deployment), profile, ledger, settings, scale)


def bare(name: str) -> str:
    """The name of a ModelDeployment without its kind. Raises `AskError` for another kind.

    >>> bare("mdep/late"), bare("late")
    ('late', 'late')
    """
    for short in SHORT_NAMES:
        if name.startswith(short):
            return name.removeprefix(short)
    if "/" in name:
        raise AskError(f"{name.split('/', 1)[0]!r} is no kind with drift: write mdep/<name>")
    return name


def _child(deployment: Mapping[str, Any]) -> str:
    """Name of the Deployment whose pods serve."""
    key, _, child = (deployment.get("status", {}).get("selector") or "").partition("=")
    if key != serving.SELECTED or not child:
        name = deployment["metadata"]["name"]
        raise AskError(f"{name} serves no version yet: kubectl describe modeldeployment {name} says why")
    return child


def _subject(namespace: str, deployment: Mapping[str, Any]) -> Subject:
    versions: list[Object] = deployment["status"].get("versions", [])
    stable = next((each for each in versions if each["role"] == "Stable"), {})
    version = str(stable.get("version") or stable.get("digest", ""))[:19]
    return Subject(namespace, deployment["metadata"]["name"], version)


def _profile(cluster: Cluster, namespace: str, selector: str) -> Profile:
    """The reference that the pods count against; any of them has it."""
    pods = [pod for pod in cluster.pods(namespace, selector) if _ready(pod)]
    if not pods:
        raise AskError("no pod of it is ready, and the reference is read from one: scale it up, or try again shortly")
    try:
        raw = cluster.from_pod(namespace, pods[0]["metadata"]["name"], serving.INTERNAL_PORT, "/monitoring/v1/profile")
        profile = profile_from_json(raw)
    except (ValidationError, SchemaTooNewError, ValueError) as error:
        raise AskError(f"the reference profile cannot be read: {str(error).splitlines()[0]}") from error
    if wrong := faults(profile):
        raise AskError(f"the reference profile is unsound: {wrong[0]}")
    return profile


def _ready(pod: Object) -> bool:
    held = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in held)


def _ledger(stored: Object | None, profile: Profile, seconds: float, now: float) -> Ledger:
    """The windows as the operator stored them last, closed by `now`."""
    text = ((stored or {}).get("data") or {}).get(serving.LEDGER)
    if text is None:
        raise AskError(f"no window with rows has closed yet; one takes {seconds:g} s")
    try:
        ledger = archive.load(json.loads(text), profile)
    except ValueError as error:
        raise AskError(f"the stored windows cannot be read: {error}") from error
    return windows.close(ledger, now)
