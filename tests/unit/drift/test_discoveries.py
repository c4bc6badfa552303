from math import log

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trimtab.drift import discoveries

P = st.lists(st.floats(1e-9, 1.0), max_size=40)


@given(P, st.floats(1e-6, 0.05))
def test_it_is_the_largest_rank_that_holds(p: list[float], level: float) -> None:
    logs = [log(v) for v in p]
    rank = discoveries.rejected(logs, level)
    ranked = sorted(p)
    holds = [i + 1 for i, v in enumerate(ranked) if log(v) <= log(level * (i + 1) / len(p))]
    assert rank == max(holds, default=0)


@given(P, st.floats(1e-6, 0.05))
def test_a_test_that_cannot_reject_only_makes_it_harder(p: list[float], level: float) -> None:
    logs = [log(v) for v in p]
    assert discoveries.rejected([*logs, 0.0], level) <= discoveries.rejected(logs, level)


def test_without_any_shift_the_chance_of_one_is_the_level() -> None:
    draws = np.log(np.random.default_rng(0).uniform(size=(5000, 20))).tolist()
    share = np.mean([discoveries.rejected(row, 0.05) > 0 for row in draws])
    assert abs(share - 0.05) < 0.01
