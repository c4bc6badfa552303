"""Who watches: each method's process, and the detectors it answers for. Data."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import venvs

PEERS = Path(__file__).parent / "peers"
OURS, QUALITY = "Trimtab", "Trimtab quality"
SAME_RATE = "Trimtab, peers' rate"
"""Ours at the budget of one false alarm in as many windows as thresholds of peers are set on."""


@dataclass(frozen=True)
class Detector:
    """One way to be alarmed."""

    name: str
    threshold: bool = True
    """Whether it has a default."""
    labels: bool = False
    """Whether it is told whether a model was wrong."""
    by_row: bool = False
    """Whether it judges at every row, and not at the end of a window."""


@dataclass(frozen=True)
class Method:
    """One process."""

    name: str
    detectors: tuple[Detector, ...]
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the beginning of a stream's key, the detectors asked there, instead of the process' own choice; none: it sits out."""

    def command(self) -> tuple[str, ...]:
        """Raises `venvs.UnavailableError`."""
        script = str(PEERS / f"{self.name.lower()}_windows.py")
        if self.name == OURS:
            return sys.executable, script
        return str(venvs.python(PEERS.parent / f"requirements-{self.name.lower()}.txt")), script

    def asked(self, key: str, long: bool) -> list[str] | None:
        """Which detectors of a stream; None: as it thinks fit; empty: none."""
        longest = max((start for start in self.only if key.startswith(start)), key=len, default=None)
        found = None if longest is None else list(self.only[longest])
        return [*found, "river KSWIN"] if long and found and self.name == "river" else found


_RIVER = ("river ADWIN", "river PageHinkley")
_ERRORS = ("river ADWIN, errors", "river DDM, errors", "river HDDM_A, errors")

_LONG_NULLS = ("season/wandering", "season/bursts", "season/traffic")
"""Beside which no change is judged, so that ours is asked for its defaults alone."""

METHODS = (
    Method(OURS, (Detector(OURS), Detector(QUALITY)), dict.fromkeys(("null", *_LONG_NULLS), (OURS,))),
    Method("Evidently", (Detector("Evidently"),)),
    Method(
        "NannyML",
        (Detector("NannyML"), Detector("NannyML PCA"), Detector("NannyML missing")),
        {
            "ladder/gaps": ("NannyML", "NannyML missing"),
            "ladder/missing": ("NannyML", "NannyML missing"),
            "null/F200": ("NannyML",),
        },
    ),
    Method(
        "river",
        (
            *(Detector(name, by_row=True) for name in (*_RIVER, "river KSWIN")),
            *(Detector(name, labels=True, by_row=True) for name in _ERRORS),
        ),
        {"": _RIVER, "generators": (*_RIVER, *_ERRORS)},
    ),
    Method("whylogs", (Detector("whylogs"),)),
    Method(
        "Frouros",
        (Detector("Frouros PSI"), Detector("Frouros tests"), Detector("Frouros MMD", threshold=False)),
        {"joint": ("Frouros PSI", "Frouros tests", "Frouros MMD")},
    ),
)
DETECTORS = {detector.name: detector for method in METHODS for detector in method.detectors}
