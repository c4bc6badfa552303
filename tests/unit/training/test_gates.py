"""Gates: what passes, what fails, and what the rows cannot tell."""

import numpy as np
import pytest

from trimtab.api.evaluation import BoundGate, ChampionGate, Gate, GateType, MetricValue, Verdict
from trimtab.training import bootstrap, gates
from trimtab.training.scores import Judged, Undefined

DAY = 86_400.0


def bound(**limit: float) -> Gate:
    return Gate(name="quality", type=GateType.BOUND, bound=BoundGate(metric="roc_auc", **limit))


def no_worse(by: float = 0.01, metric: str = "accuracy", **more: object) -> Gate:
    return Gate(name="no-worse", type=GateType.CHAMPION, champion=ChampionGate(metric=metric, not_worse_by=by, **more))


def answers(right: float, n: int = 2000, seed: int = 0, truth: np.ndarray | None = None) -> Judged:
    """Predictions of which a share is right."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n) if truth is None else truth
    said = np.where(rng.random(n) < right, truth, 1 - truth)
    return Judged(truth, said, positive=1, count=2)


def contest(ours: float, theirs: float, n: int = 2000, days: int = 20) -> gates.Contest:
    candidate = answers(ours, n, 1)
    times = np.sort(np.random.default_rng(3).random(n)) * days * DAY
    return gates.Contest("late-3", candidate, answers(theirs, n, 2, candidate.truth), times)


def verdict(gate: Gate, between: gates.Contest | None = None, **scores: MetricValue) -> tuple[Verdict, str]:
    (result,) = gates.judge((gate,), "Classification", scores, between, 0)
    return result.verdict, result.message


@pytest.mark.parametrize(
    ("limit", "value", "expected"),
    [
        ({"at_least": 0.58}, 0.58, Verdict.PASSED),
        ({"at_least": 0.58}, 0.5799, Verdict.FAILED),
        ({"at_most": 0.2}, 0.2, Verdict.PASSED),
        ({"at_most": 0.2}, 0.21, Verdict.FAILED),
        ({"at_least": 0.0}, 0.0, Verdict.PASSED),
        ({"at_most": 0.0}, 0.01, Verdict.FAILED),
    ],
)
def test_a_bound_holds_at_the_bound_itself(limit: dict[str, float], value: float, expected: Verdict) -> None:
    assert verdict(bound(**limit), roc_auc=MetricValue(name="roc_auc", value=value))[0] is expected


def test_a_bound_on_a_metric_without_a_value_is_inconclusive_and_says_why() -> None:
    score = MetricValue(name="roc_auc", reason="the held-out rows hold one class only")
    assert verdict(bound(at_least=0.5), roc_auc=score) == (
        Verdict.INCONCLUSIVE,
        "roc_auc has no value: the held-out rows hold one class only",
    )


def test_without_a_champion_there_is_nothing_to_be_worse_than() -> None:
    assert verdict(no_worse()) == (Verdict.PASSED, "NoChampion: there is no champion to compare with")


def test_a_much_better_candidate_passes_and_a_much_worse_one_fails() -> None:
    assert verdict(no_worse(), contest(0.9, 0.7))[0] is Verdict.PASSED
    assert verdict(no_worse(), contest(0.7, 0.9))[0] is Verdict.FAILED


def test_an_equal_candidate_passes_only_with_a_margin_wider_than_the_uncertainty() -> None:
    assert verdict(no_worse(0.05), contest(0.8, 0.8))[0] is Verdict.PASSED
    assert verdict(no_worse(0.0), contest(0.8, 0.8))[0] is Verdict.INCONCLUSIVE


def test_for_a_loss_less_is_better() -> None:
    truth = np.arange(400) % 2
    sharp = np.where(truth[:, None] == [0, 1], 0.9, 0.1)
    vague = np.where(truth[:, None] == [0, 1], 0.6, 0.4)
    times = np.arange(400) * DAY / 10
    one = Judged(truth, truth, sharp, positive=1, count=2)
    other = Judged(truth, truth, vague, positive=1, count=2)
    better, worse = gates.Contest("late-3", one, other, times), gates.Contest("late-3", other, one, times)
    assert verdict(no_worse(metric="brier"), better)[0] is Verdict.PASSED
    assert verdict(no_worse(metric="brier"), worse)[0] is Verdict.FAILED


def test_days_that_differ_make_uncertain_what_rows_alone_would_call_certain() -> None:
    """Ten days, on six of which the candidate is better and on four worse: by rows a sure loss, by days undecided."""
    truth = np.zeros(5000, int)
    day = np.repeat(np.arange(10), 500)
    ours = np.where(day < 4, 0, 1)
    theirs = np.where(day < 4, 1, 0)
    candidate, champion = (Judged(truth, said, positive=1, count=2) for said in (ours, theirs))
    between = gates.Contest("late-3", candidate, champion, (day * DAY).astype(np.float64))
    assert verdict(no_worse(blocks="Row"), between)[0] is Verdict.FAILED
    assert verdict(no_worse(blocks="Day"), between)[0] is Verdict.INCONCLUSIVE
    assert "drawn by 10 days" in verdict(no_worse(), between)[1]


def test_few_clean_rows_or_days_are_inconclusive() -> None:
    assert "40 held-out rows are new to it, fewer than the 50" in verdict(no_worse(), contest(0.9, 0.5, 40))[1]
    assert "cover 3 days, fewer than the 5" in verdict(no_worse(), contest(0.9, 0.5, 2000, days=3))[1]
    assert verdict(no_worse(blocks="Row"), contest(0.9, 0.5, 2000, days=3))[0] is Verdict.PASSED


def test_a_champion_that_cannot_be_scored_is_inconclusive_with_the_reason() -> None:
    lost = gates.Contest("late-3", impossible="it could not be fetched (NotFound: gone)")
    assert verdict(no_worse(), lost) == (
        Verdict.INCONCLUSIVE,
        "the champion cannot be compared with: it could not be fetched (NotFound: gone)",
    )


def test_the_lead_and_the_margin_stand_on_the_verdict() -> None:
    (result,) = gates.judge((no_worse(0.01),), "Classification", {}, contest(0.9, 0.7), 0)
    assert result.value == pytest.approx(0.2, abs=0.03)
    assert result.bound == -0.01


def test_the_same_seed_gives_the_same_verdict_to_the_last_digit() -> None:
    between = contest(0.8, 0.79)
    first, second = (gates.judge((no_worse(),), "Classification", {}, between, 7) for _ in range(2))
    assert first == second


def test_gates_name_their_metrics() -> None:
    assert gates.named((bound(at_least=0.5), no_worse(metric="brier"))) == ("roc_auc", "brier")


# ---------------------------------------------------------------- bootstrap


def test_the_interval_of_a_mean_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(60):
        rows = rng.normal(size=100)

        def mean(weight: np.ndarray, rows: np.ndarray = rows) -> float:
            return float(np.average(rows, weights=weight))

        block, count = bootstrap.blocks_of(None, 100)
        values, _ = bootstrap.distribution(mean, block, count, seed)
        low, high = bootstrap.interval(values)
        hits += low <= 0 <= high
    assert 50 <= hits <= 60


def test_blocks_are_drawn_whole() -> None:
    block, count = bootstrap.blocks_of(np.array([5, 5, 9, 9, 9, -1]), 6)
    assert count == 3
    for _, weight in zip(range(20), bootstrap.weights(block, count, 0), strict=False):
        assert weight[0] == weight[1]
        assert weight[2] == weight[3] == weight[4]
        assert weight[0] + weight[2] + weight[5] == 3


def test_resamples_without_a_value_are_drawn_again_and_counted() -> None:
    truth = np.array([1, *[0] * 9])

    def recall(weight: np.ndarray) -> float:
        if not weight[0]:
            raise Undefined("no positive row")
        return 1.0

    values, again = bootstrap.distribution(recall, *bootstrap.blocks_of(None, len(truth)), 0)
    assert len(values) == bootstrap.DRAWS
    assert 300 < again < 800


def test_a_metric_that_has_hardly_ever_a_value_is_indeterminate() -> None:
    def never(weight: np.ndarray) -> float:
        raise Undefined("never")

    with pytest.raises(bootstrap.Indeterminate):
        bootstrap.distribution(never, *bootstrap.blocks_of(None, 5), 0)


def test_more_rows_cost_fewer_draws() -> None:
    assert [bootstrap.draws(n) for n in (10, 50_000, 100_000, 10_000_000)] == [1000, 1000, 500, 200]
