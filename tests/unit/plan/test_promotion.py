"""Which version is champion."""

from typing import Any

import pytest

from tests import make
from trimtab.api.model import Model
from trimtab.plan import promotion
from trimtab.plan.intent import Object
from trimtab.plan.promotion import Choice

V = make.version
GATES = [
    {"name": "quality", "type": "Bound", "bound": {"metric": "roc_auc", "atLeast": 0.6}},
    {"name": "no-worse", "type": "Champion", "champion": {"metric": "roc_auc", "notWorseBy": 0.01}},
]
HELD = {"quarantined": {"reason": "LoadFailed", "time": make.ago(9)}}


def choose(*versions: Object, **spec: Any) -> Choice:
    return promotion.choose(Model.model_validate(make.model(**spec)).spec, versions)


def gates(when_inconclusive: str) -> list[Object]:
    """The Champion gate with a rule for rows that cannot tell."""
    return [GATES[0], {**GATES[1], "champion": {**GATES[1]["champion"], "whenInconclusive": when_inconclusive}}]  # type: ignore[dict-item]


def approve(number: int, decision: str = "Approved", mode: str = "Automatic") -> Object:
    return {"mode": mode, "approvals": [{"version": number, "decision": decision}]}


CASES: dict[str, tuple[Choice, int | None, str, bool]] = {
    "without versions there is no champion": (choose(), None, "NoVersion", False),
    "without gates the newest is champion": (choose(V(1), V(2)), 2, "NoGates", True),
    "ten is newer than nine": (choose(V(9), V(10)), 10, "NoGates", True),
    "the newest that passed its gates is champion": (
        choose(V(1), V(2, verdicts={"quality": "Passed"}), gates=[GATES[0]]),
        2,
        "Promoted",
        True,
    ),
    "a Champion gate without a champion passes and says so": (
        choose(V(1, verdicts={"no-worse": "Passed"}), gates=GATES),
        1,
        "NoChampion",
        True,
    ),
    "a failed gate keeps the champion": (choose(V(1), V(2, verdicts={"quality": "Failed"})), 1, "GatesFailed", False),
    "one failed gate among others that passed is enough": (
        choose(V(1), V(2, verdicts={"no-worse": "Passed", "quality": "Failed"})),
        1,
        "GatesFailed",
        False,
    ),
    "a first version that fails leaves none": (
        choose(V(1, verdicts={"quality": "Failed"})),
        None,
        "GatesFailed",
        False,
    ),
    "a quarantined version is no champion": (choose(V(1), V(2, status=HELD)), 1, "VersionQuarantined", False),
    "a rejection by a person holds in mode Automatic": (
        choose(V(1), V(2), promotion=approve(2, "Rejected")),
        1,
        "ApprovalRejected",
        False,
    ),
    "quarantine is told before a failed gate": (
        choose(V(1), V(2, status=HELD, verdicts={"quality": "Failed"})),
        1,
        "VersionQuarantined",
        False,
    ),
    "mode Manual waits for an approval": (choose(V(1), promotion={"mode": "Manual"}), None, "AwaitingApproval", False),
    "mode Manual promotes what is approved": (choose(V(1), promotion=approve(1, mode="Manual")), 1, "NoGates", True),
    "an approval does not heal a failed gate": (
        choose(V(1, verdicts={"quality": "Failed"}), promotion=approve(1)),
        None,
        "GatesFailed",
        False,
    ),
    "a version that a user brought waits for an approval": (
        choose(V(1), V(2, made_here=False)),
        1,
        "AwaitingApproval",
        False,
    ),
    "a version that a user brought is champion once approved": (
        choose(V(1), V(2, made_here=False), promotion=approve(2)),
        2,
        "NoGates",
        True,
    ),
    "an inconclusive bound keeps the champion": (
        choose(V(1), V(2, verdicts={"quality": "Inconclusive"}), gates=GATES),
        1,
        "GatesInconclusive",
        False,
    ),
    "Keep keeps the champion when rows cannot tell": (
        choose(V(1), V(2, verdicts={"no-worse": "Inconclusive"}), gates=gates("Keep")),
        1,
        "GatesInconclusive",
        False,
    ),
    "Promote lets the candidate through when rows cannot tell": (
        choose(V(1), V(2, verdicts={"no-worse": "Inconclusive"}), gates=gates("Promote")),
        2,
        "LetThrough",
        True,
    ),
    "Promote does not let through what another gate leaves open": (
        choose(V(1), V(2, verdicts={"no-worse": "Inconclusive", "quality": "Inconclusive"}), gates=gates("Promote")),
        1,
        "GatesInconclusive",
        False,
    ),
    "Manual asks a person when rows cannot tell": (
        choose(V(1), V(2, verdicts={"no-worse": "Inconclusive"}), gates=gates("Manual")),
        1,
        "AwaitingApproval",
        False,
    ),
    "Manual promotes what a person approved": (
        choose(V(1), V(2, verdicts={"no-worse": "Inconclusive"}), gates=gates("Manual"), promotion=approve(2)),
        2,
        "LetThrough",
        True,
    ),
    "an approval does not stand in for Keep": (
        choose(V(1), V(2, verdicts={"no-worse": "Inconclusive"}), gates=gates("Keep"), promotion=approve(2)),
        1,
        "GatesInconclusive",
        False,
    ),
    "an inconclusive gate that the spec no longer has keeps the champion": (
        choose(V(1), V(2, verdicts={"gone": "Inconclusive"})),
        1,
        "GatesInconclusive",
        False,
    ),
    "a pin stands above gates, approvals and age": (
        choose(V(1, verdicts={"quality": "Failed"}), V(2), champion={"version": 1}, promotion=approve(1, "Rejected")),
        1,
        "Pinned",
        True,
    ),
    "a pin that names no version leaves no choice": (choose(V(1), champion={"version": 7}), None, "PinNotFound", False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_champion(case: str) -> None:
    choice, number, reason, good = CASES[case]
    chosen = None if choice.version is None else promotion.number(choice.version)
    assert (chosen, choice.reason, choice.good) == (number, reason, good)


def test_the_message_names_the_gate_and_who_stays() -> None:
    message = choose(V(1), V(2, verdicts={"quality": "Failed"})).message
    assert message == "version 2 is not promoted: gate quality: so it is; version 1 stays champion"


def test_a_missing_pin_is_told_apart_from_no_version() -> None:
    assert choose(V(1), champion={"version": 7}).missing_pin
    assert not choose().missing_pin
