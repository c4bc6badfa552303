"""Conditions: what Ready, Reconciling and Stalled mean, and when a transition is new."""

import pytest

from tests import make
from trimtab.api.conditions import ConditionType as Type
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason as Why
from trimtab.plan import conditions
from trimtab.plan.conditions import Finding

SUMMARIES: dict[str, tuple[Outcome | None, list[tuple[str, str]]]] = {
    "nothing in the way": (None, [("Ready", "True")]),
    "the user must act": (Stalled(Why.INVALID_SPEC, "no"), [("Ready", "False"), ("Stalled", "True")]),
    "something else comes first": (Waiting(Why.PROGRESSING, 5, "so"), [("Ready", "False"), ("Reconciling", "True")]),
}


@pytest.mark.parametrize("case", SUMMARIES)
def test_a_summary_with(case: str) -> None:
    outcome, expected = SUMMARIES[case]
    found = conditions.summary(outcome, reason=Why.PROGRESSING, message="well")
    assert [(str(finding.type), finding.status) for finding in found] == expected


def test_a_time_is_that_of_the_last_change_of_the_status() -> None:
    old = [make.condition("Ready", "True", since=900)]
    kept = conditions.merge(old, [Finding(Type.READY, "True", Why.SUSPENDED, "new words")], generation=7, now=make.NOW)
    assert [(entry["lastTransitionTime"], entry["reason"], entry["observedGeneration"]) for entry in kept] == [
        (make.ago(900), "Suspended", 7)
    ]
    flipped = conditions.merge(old, [Finding(Type.READY, "False", Why.SUSPENDED, "x")], generation=7, now=make.NOW)
    assert flipped[0]["lastTransitionTime"] == make.ago(0)


def test_conditions_are_sorted_and_those_that_are_not_found_any_more_go() -> None:
    old = [make.condition("Stalled", "True"), make.condition("Ready", "False")]
    findings = [Finding(Type.VALIDATED, "True", Why.PROGRESSING, ""), Finding(Type.READY, "True", Why.PROGRESSING, "")]
    assert [entry["type"] for entry in conditions.merge(old, findings, generation=1, now=0)] == ["Ready", "Validated"]


SENTENCES = {
    "a sentence": ("There is no such file.", "There is no such file."),
    "control characters": ("\x1b[31mno\x00\u202e", "[31mno"),
    "half a character": ("no \ud800", "no ?"),
    "two lines": ("one\ntwo", "one\ntwo"),
    "too much": ("x" * 2001, "x" * 1999 + "…"),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_a_message_is_valid_bounded_and_harmless(case: str) -> None:
    text, expected = SENTENCES[case]
    assert conditions.sentence(text) == expected


@pytest.mark.parametrize(("stalled", "abnormal"), [(True, "Stalled"), (False, "Reconciling")])
def test_a_refusal_replaces_the_summary_and_keeps_what_else_is_known(stalled: bool, abnormal: str) -> None:
    status = {
        "rows": 5,
        "conditions": [make.condition("Ready", "True"), make.condition("Validated", "True", since=900)],
    }
    told = conditions.refuse(
        status, reason=Why.NAME_TAKEN, message="taken", stalled=stalled, generation=3, now=make.NOW
    )
    assert (told["rows"], told["observedGeneration"]) == (5, 3)
    states = {entry["type"]: (entry["status"], entry["reason"]) for entry in told["conditions"]}
    assert states == {"Ready": ("False", "NameTaken"), abnormal: ("True", "NameTaken"), "Validated": ("True", "Made")}


def test_times_go_there_and_back() -> None:
    assert conditions.instant(conditions.timestamp(make.NOW)) == make.NOW
    assert conditions.instant("2026-01-31T23:00:00.123456789+14:00") < conditions.instant("2026-01-31T23:00:00Z")
