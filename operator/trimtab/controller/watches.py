"""What is known of the traffic to one version of one deployment: its ledger, its verdicts, and where both are kept.

The state machine is `trimtab.drift.windows`; here are its persistence (one ConfigMap, written once a window that has rows)
and the judgement that the planner and the metrics read.
"""

import json
import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from trimtab.api.meta import Label
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.controller import metrics
from trimtab.controller.cache import Object
from trimtab.controller.poll import Silence
from trimtab.controller.slim import COUNTS_COMPONENT
from trimtab.drift import archive, budget, quality, verdicts, windows
from trimtab.drift.profile import Profile
from trimtab.drift.windows import Ledger, Source
from trimtab.plan import naming, serving
from trimtab.plan.judgement import Judgement

log = logging.getLogger(__name__)
SHORTEST, LONGEST = 2.0, 15.0

Fault: TypeAlias = Silence | Literal["CountsWentDown", "DoesNotFit", "WindowsUnreadable", "NotStored"]
"""Why counts of a pod were not taken in, or the windows not read or stored."""
FAULTS: tuple[Fault, ...] = tuple(fault for part in get_args(Fault) for fault in get_args(part))


@dataclass
class Watch:
    """One version of one deployment under watch. `digest` is the artifact's."""

    deployment: Object
    child: str
    """Name of the Deployment whose pods count."""
    digest: str
    settings: budget.Settings
    profile: Profile | None = None
    profile_digest: str | None = None
    ledger: Ledger | None = None
    judgement: Judgement | None = None
    judged_at: float = 0.0
    next_poll: float = 0.0
    silent: str | None = None
    """Why the pods last asked did not answer."""
    saved: bool = True
    faults: Counter[Fault] = field(default_factory=Counter)
    """What went wrong since this process watches, by kind."""
    resets: int = 0
    """Pods that began to count anew since this process watches: their server was started again."""

    @property
    def interval(self) -> float:
        """Seconds between two polls of a pod: a sixth of a window, from 2 to 15."""
        return min(LONGEST, max(SHORTEST, self.settings.window_seconds / 6))


def state_name(watch: Watch) -> str:
    """Name of the ConfigMap that holds the windows of this version."""
    return serving.counts_name(watch.child)


def state(watch: Watch) -> Object:
    """The ConfigMap as it should be: owned by the deployment, gone with it."""
    assert watch.ledger is not None
    labels = naming.labels(Label.MODEL_DEPLOYMENT, watch.deployment["metadata"]["name"], COUNTS_COMPONENT)
    built = naming.child(watch.deployment, "v1", "ConfigMap", state_name(watch), labels)
    stored = archive.dump(watch.ledger)
    built["data"] = {serving.LEDGER: json.dumps(stored, separators=(",", ":"))}
    return built


def restore(watch: Watch, stored: Object | None, now: float) -> None:
    """Go on from what was stored, or begin; what cannot be read is begun anew, and said."""
    assert watch.profile is not None
    seconds = watch.settings.window_seconds
    watch.ledger = windows.begin(watch.profile, seconds, now)
    text = ((stored or {}).get("data") or {}).get(serving.LEDGER)
    if text is None:
        return
    try:
        ledger = archive.load(json.loads(text), watch.profile)
    except ValueError as error:
        failed(watch, "WindowsUnreadable", f"its stored windows cannot be read, and begin anew: {error}")
        return
    watch.ledger = ledger if ledger.seconds == seconds else windows.resized(ledger, seconds, now)


def take(watch: Watch, source: Source, seq: int, counts: Any, now: float) -> bool:
    """Take a snapshot in; True when a window with rows closed on the way and so is worth storing."""
    assert watch.ledger is not None
    closed = closing(watch, now)
    known = watch.ledger.sources
    watch.resets += source not in known and any(other.pod == source.pod for other in known)
    watch.ledger, problem = windows.absorb(watch.ledger, source, seq, counts, now)
    if problem is not None:
        failed(watch, problem.reason, problem.message)
    return closed


def failed(watch: Watch, fault: Fault, text: str) -> None:
    """Count what went wrong; the first of its kind is logged, since pods are asked every few seconds."""
    if not watch.faults[fault]:
        meta = watch.deployment["metadata"]
        log.warning("ModelDeployment %s/%s, %s: %s: %s", meta["namespace"], meta["name"], watch.child, fault, text)
    watch.faults[fault] += 1


def closing(watch: Watch, now: float) -> bool:
    """Close the windows that ended; True when one of them had rows."""
    assert watch.ledger is not None
    before = watch.ledger
    watch.ledger = windows.close(before, now)
    if watch.ledger.current == before.current:
        return False
    if windows.has_rows(before):
        watch.saved = False
    judge(watch, now)
    return not watch.saved


def judge(watch: Watch, now: float) -> None:
    """Judge the windows due."""
    assert watch.ledger is not None
    assert watch.profile is not None
    with metrics.EVALUATION_SECONDS.time():
        seen = windows.by_scale(watch.ledger)
        watch.judgement = Judgement(
            digest=watch.digest,
            window_seconds=watch.settings.window_seconds,
            verdict=verdicts.judge(watch.profile, seen, watch.settings),
            quality=quality.judge(watch.profile, seen, watch.settings),
        )
    watch.judged_at = now


def without_profile(watch: Watch) -> None:
    """The artifact carries no reference: drift is Unknown, honestly."""
    text = "the artifact carries no reference profile, so there is nothing to compare with"
    _tell(watch, Judgement(watch.digest, watch.settings.window_seconds, reason=Why.NO_REFERENCE, message=text))


def unheard(watch: Watch, why: str) -> None:
    """No pod answers: what was judged before stands, else the reason is told."""
    watch.silent = why
    if watch.judgement is None or watch.judgement.verdict is None:
        text = f"pods do not answer when asked for their counts: {why}"
        _tell(watch, Judgement(watch.digest, watch.settings.window_seconds, reason=Why.SNAPSHOTS_MISSING, message=text))


def _tell(watch: Watch, judged: Judgement) -> None:
    """Another judgement only where it says something else: each new one rings the planner."""
    if watch.judgement != judged:
        watch.judgement = judged


def prune(watch: Watch, pods: Collection[str]) -> None:
    """Forget sources that nothing can be added to any more; `pods` are the uids of all pods there are."""
    if watch.ledger is not None:
        watch.ledger = windows.forget(watch.ledger, frozenset(pods))
