"""Strategies for pods and Jobs in any state, with whatever words their containers leave."""

from hypothesis import strategies as st

from tests import make
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object
from trimtab.plan.jobs import JobView

AGES = st.sampled_from([0, 1, 10, 40, 61, 400, 4000, 100_000, -30])
"""Seconds before now; a clock may be behind."""
SELDOM, MOSTLY = st.sampled_from([False] * 8 + [True]), st.sampled_from([True] * 8 + [False])
CLAIM = Defaults("s:2", "t:2", store_claim="models", operator_namespace="ops")
DEFAULTS = st.sampled_from([CLAIM, CLAIM, make.DEFAULTS])


LOOK = {"digest": make.FEBRUARY, "rows": 5, "bytes": 9, "columns": [{"name": "a b", "type": "Number"}]}
MESSAGES = st.sampled_from(
    [
        "",
        "Traceback (most recent call last):\n\x1b[31mValueError\x00: no",
        "[" * 4000,
        '{"reason": "LoadFailed", "message": "\\ud800 is no text"}',
        '{"reason": "DigestMismatch", "message": "other bytes"}',
        '{"reason": "two words", "message": {}}',
        '{"schema": 99, "step": "fetch"}',
        make.report("fetch", look=LOOK),
        make.report("fetch", look={**LOOK, "columns": [], "packed": "no base64"}),
        make.report("fetch", reason="NotFound", message="nothing lies there" * 300, logTail="\x00tail" * 2000),
        make.report("train", reason="not a word!", message="x" * 5000),
        make.report("evaluate", reason="ModelUnusable", message="it does not load"),
        make.report("publish", published=make.PUBLISHED),
    ]
)
REASONS = st.sampled_from(["OOMKilled", "Error", "Completed", "ContainerStatusUnknown", ""])
WAITS = st.sampled_from(
    ["PodInitializing", "ContainerCreating", "ImagePullBackOff", "CreateContainerConfigError", "CrashLoopBackOff"]
)


@st.composite
def containers(draw: st.DrawFn, name: str) -> Object:
    """Status of a container in any state."""
    dead = make.ended(name, draw(st.sampled_from([0, 1, 3, 137])), draw(MESSAGES), draw(REASONS))
    match draw(st.sampled_from(["none", "waiting", "running", "ended", "again"])):
        case "none":
            return {"name": name, "image": "i:1"}
        case "waiting":
            return make.waiting(name, draw(WAITS), "because")
        case "running":
            return make.running(name)
        case "again":
            return make.waiting(name, "CrashLoopBackOff", "back-off", **dead["state"])
    return dead


@st.composite
def pods(draw: st.DrawFn, name: str, init: tuple[str, ...], main: tuple[str, ...]) -> Object:
    """A pod in any state, or one without a status."""
    built = make.pod(
        name,
        init=tuple(draw(containers(step)) for step in init if draw(st.booleans())),
        main=tuple(draw(containers(step)) for step in main if draw(st.booleans())),
        phase=draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])),
        ready=draw(st.sampled_from([None, True, False])),
        reason=draw(st.sampled_from([None, None, "DeadlineExceeded", "Evicted"])),
        unscheduled=draw(st.sampled_from([None, None, "0/1 nodes are available"])),
        created=draw(AGES),
    )
    if draw(SELDOM):
        built["metadata"]["deletionTimestamp"] = make.ago(draw(st.sampled_from([5, 400])))
    if draw(SELDOM):
        built["status"]["conditions"].append({"type": "DisruptionTarget", "status": "True"})
    return {**built, "status": {}} if draw(SELDOM) else built


@st.composite
def job_views(draw: st.DrawFn, name: str, containers_: tuple[str, ...], inputs_: str = "") -> JobView:
    """A Job in any state, with up to two pods."""
    *init, main = containers_
    if draw(st.booleans()):
        return _well_ended(name, init, main, inputs_, since=draw(AGES))
    count = draw(st.sampled_from([0, 1, 1, 2]))
    seen = make.view(
        name,
        *[draw(pods(f"{name}-{number}", tuple(init), (main,))) for number in range(count)],
        end=draw(st.sampled_from([None, None, "Complete", "Failed", "FailureTarget", "Suspended"])),
        since=draw(AGES),
        message="BackoffLimitExceeded",
        created=draw(AGES),
        suspend=draw(st.booleans()),
        inputs=inputs_,
        failed=draw(st.sampled_from([0, 1, 3])),
    )
    if draw(SELDOM):
        return JobView({**seen.job, "status": {}}, seen.pods)
    return seen


def _well_ended(name: str, init: list[str], main: str, inputs_: str, since: float) -> JobView:
    """A Job whose last step left its result."""
    said = make.report(main, look=LOOK) if main == "fetch" else make.report(main, published=make.PUBLISHED)
    done = make.pod(
        name, init=tuple(make.ended(step) for step in init), main=(make.ended(main, 0, said),), phase="Succeeded"
    )
    return make.view(name, done, end="Complete", since=since, inputs=inputs_, created=since + 30)
