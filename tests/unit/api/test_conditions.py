"""Conditions and reasons are words that machines match on; each is explained."""

from __future__ import annotations

import re

import pytest

from trimtab.api.conditions import ABSENT_WHEN_FALSE, GOOD, KINDS_OWN, Condition, ConditionStatus, ConditionType
from trimtab.api.kinds import KINDS
from trimtab.api.model import RunCause
from trimtab.api.reasons import REASONS, CommonReason, ModelReason, Reason, Word

ENUMS: list[type[Word]] = [ConditionType, CommonReason, *REASONS.values()]


@pytest.mark.parametrize("enum", ENUMS)
def test_every_word_is_camel_case_and_explained_in_a_sentence(enum: type[Word]) -> None:
    for word in enum:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", word.value)
        assert word.__doc__ is not None
        assert word.__doc__.endswith(".")
        assert word.__doc__ != enum.__doc__


def test_every_kind_has_reasons_and_conditions_of_its_own() -> None:
    kinds = {row.kind for row in KINDS}
    assert set(REASONS) == set(KINDS_OWN) == kinds
    own = [one for conditions in KINDS_OWN.values() for one in conditions]
    assert len(own) == len(set(own))
    assert set(own) == set(ConditionType) - {"Ready", "Reconciling", "Stalled"}


def test_a_kinds_reasons_do_not_repeat_the_common_ones() -> None:
    common = {reason.value for reason in CommonReason}
    for reasons in REASONS.values():
        assert not common & {reason.value for reason in reasons}


def test_only_reconciling_and_stalled_are_bad_news_when_true() -> None:
    bad = {one for one, good in GOOD.items() if good is ConditionStatus.FALSE}
    assert bad == ABSENT_WHEN_FALSE == {ConditionType.RECONCILING, ConditionType.STALLED}
    assert set(GOOD) == set(ConditionType)


def test_every_cause_of_a_run_is_a_reason_of_a_model() -> None:
    assert {cause.value for cause in RunCause} <= {reason.value for reason in ModelReason}


def test_a_reason_is_written_as_its_word() -> None:
    condition = Condition(
        type=ConditionType.READY,
        status=ConditionStatus.TRUE,
        reason=ModelReason.PROMOTED,
        message="",
        last_transition_time="2026-01-31T23:00:00+01:00",
    )
    assert condition.as_json() == {
        "type": "Ready",
        "status": "True",
        "reason": "Promoted",
        "message": "",
        "lastTransitionTime": "2026-01-31T23:00:00+01:00",
    }
    assert isinstance(ModelReason.PROMOTED, Reason)
    assert Condition.model_validate(condition.as_json()) == condition
