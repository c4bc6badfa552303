"""What the statuses of Datasets, Models and ModelDeployments say, as series of Prometheus. Leader only.

Kept from each pass over an object, so that a scrape unpacks nothing; what is gone is forgotten. Runs and versions have no
series of their own: there are many, and what matters of them is told on their Model. Does no I/O.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from trimtab.api.model import Retraining, RunCause
from trimtab.api.quantities import parse_duration
from trimtab.controller.cache import Name, Object, name_of
from trimtab.controller.rings import Key
from trimtab.plan import conditions

KINDS = frozenset({"Dataset", "Model", "ModelDeployment"})
CAUSES = (RunCause.INITIAL, RunCause.SPEC_CHANGED, RunCause.DRIFT)
"""Why a Model opens a run; what a person opens is not counted here."""


@dataclass(frozen=True, slots=True)
class Run:
    """The run that a Model opened last: its name, its cause, and when, in seconds since 1970."""

    name: str
    cause: str
    time: float


@dataclass(slots=True)
class Told:
    """What is exported of one object."""

    conditions: tuple[tuple[str, str, str], ...] = ()
    """Type, status, reason."""
    champion: int | None = None
    versions: tuple[tuple[str, str, str], ...] = ()
    """Model, version, role of each version that has pods."""
    suppressed: str | None = None
    """Why a run that is wanted is not opened."""
    last: Run | None = None
    next_allowed: float | None = None
    """When the cooldown of the last run that drift opened ends."""
    opened: Counter[str] = field(default_factory=Counter)
    """Runs that this process saw opened, by cause."""


class StatusCollector(Collector):
    """The last status of each object. `since`: when this process began, in seconds since 1970."""

    def __init__(self, since: float) -> None:
        self._since = int(since)  # times in a status are whole seconds
        self._told: dict[Name, Told] = {}

    def note(self, obj: Object) -> None:
        """Take in an object as it is after a pass; kinds without series are passed over."""
        if obj["kind"] in KINDS:
            name = name_of(obj)
            self._told[name] = _told(obj, self._told.get(name), self._since)

    def forget(self, key: Key) -> None:
        """The object is gone, and its series with it."""
        self._told.pop(Name(*key), None)

    def describe(self) -> Iterator[Metric]:
        """Nothing: series exist only while objects do."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One pass over the objects."""
        of_model = ("namespace", "model")
        found = GaugeMetricFamily(
            "trimtab_condition",
            "1 for each condition of a Dataset, a Model or a ModelDeployment, with its status and reason.",
            labels=("kind", "namespace", "name", "type", "status", "reason"),
        )
        versions = GaugeMetricFamily(
            "trimtab_deployment_version_info",
            "1 for each version that a deployment has pods of; Stable is the role of the one that serves.",
            labels=("namespace", "deployment", "model", "version", "role"),
        )
        champion = GaugeMetricFamily("trimtab_model_champion_version", "Number of the champion.", labels=of_model)
        suppressed = GaugeMetricFamily(
            "trimtab_retrain_suppressed",
            "1 while a run that is wanted is not opened, and why.",
            labels=(*of_model, "reason"),
        )
        last = GaugeMetricFamily(
            "trimtab_retrain_last_timestamp_seconds", "Unix time at which the Model last opened a run.", labels=of_model
        )
        allowed = GaugeMetricFamily(
            "trimtab_retrain_next_allowed_timestamp_seconds",
            "Unix time at which the cooldown after the last run that drift opened ends.",
            labels=of_model,
        )
        opened = CounterMetricFamily(
            "trimtab_retrain_triggers",
            "Runs that the Model opened since the operator started, by what it opened them for.",
            labels=(*of_model, "reason"),
        )
        for (kind, namespace, name), told in list(self._told.items()):  # a pass may add one meanwhile
            for condition in told.conditions:
                found.add_metric([kind, namespace, name, *condition], 1)
            for version in told.versions:
                versions.add_metric([namespace, name, *version], 1)
            for family, value in ((champion, told.champion), (allowed, told.next_allowed)):
                if value is not None:
                    family.add_metric([namespace, name], value)
            if told.suppressed is not None:
                suppressed.add_metric([namespace, name, told.suppressed], 1)
            if told.last is not None:
                last.add_metric([namespace, name], told.last.time)
            if kind == "Model":
                for cause in CAUSES:
                    opened.add_metric([namespace, name, cause], told.opened[cause])
        return iter((found, versions, champion, suppressed, last, allowed, opened))


def _told(obj: Object, before: Told | None, since: float) -> Told:
    status = obj.get("status", {})
    told = Told(
        conditions=tuple(
            (sys.intern(entry["type"]), sys.intern(entry["status"]), sys.intern(entry["reason"]))
            for entry in status.get("conditions", ())
        )
    )
    if obj["kind"] == "ModelDeployment":
        model = (obj["spec"].get("modelRef") or {}).get("name", "")
        told.versions = tuple(dict.fromkeys(_version(model, entry) for entry in status.get("versions", ())))
    if obj["kind"] == "Model":
        told.champion = status.get("champion", {}).get("version")
        told.suppressed = status.get("suppressed", {}).get("reason")
        _runs(told, obj, before, since)
    return told


def _version(model: str, entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """A file of the user's own has no number: the beginning of its digest stands for it, as in the series of drift."""
    return model, str(entry["version"]) if "version" in entry else entry["digest"][7:19], sys.intern(entry["role"])


def _runs(told: Told, obj: Object, before: Told | None, since: float) -> None:
    """What was opened before this process began is told, and not counted."""
    last = obj.get("status", {}).get("lastTrigger", {})
    if "time" in last:
        told.last = Run(last.get("trainingJob", ""), last["type"], conditions.instant(last["time"]))
    if before is not None:
        told.opened, told.next_allowed = before.opened, before.next_allowed
    if told.last is None:
        return
    if told.last.time >= since and (before is None or before.last != told.last):
        told.opened[told.last.cause] += 1
    if told.last.cause == RunCause.DRIFT:
        told.next_allowed = _end(obj, told.last.time)


def _end(obj: Object, opened: float) -> float | None:
    """When the cooldown after a run ends; None for a spec that this release cannot read."""
    try:
        return opened + parse_duration(Retraining.model_validate(obj["spec"].get("retraining", {})).cooldown)
    except ValueError:
        return None
