import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trimtab.drift import pooling

COUNTS = st.lists(st.integers(0, 5000), min_size=1, max_size=31)
ROWS = st.integers(1, 200_000)


@given(COUNTS, ROWS, st.booleans())
def test_groups_hold_what_the_law_needs_unless_there_is_only_one(counts: list[int], rows: int, ordered: bool) -> None:
    group = pooling.groups(counts, rows, ordered)
    held = pooling.merge(counts, group)
    assert held.sum() == sum(counts)
    assert sorted(set(group.tolist())) == list(range(held.size))
    if held.size > 1:
        assert held.min() >= 5
        assert held.min() / sum(counts) * rows >= 5 - 1e-9
        assert held.size * 10 <= rows


@given(COUNTS, ROWS)
def test_groups_of_a_number_are_neighbours(counts: list[int], rows: int) -> None:
    assert (np.diff(pooling.groups(counts, rows, ordered=True)) >= 0).all()


@given(COUNTS, st.booleans())
def test_rows_needed_are_just_enough_for_two_groups(counts: list[int], ordered: bool) -> None:
    needed = pooling.rows_needed(counts, ordered)
    if needed is None:
        assert pooling.groups(counts, 10**9, ordered).max() == 0
    else:
        assert pooling.groups(counts, needed, ordered).max() >= 1
        if needed > pooling.LEAST_ROWS:
            assert pooling.groups(counts, needed - 1, ordered).max() == 0


def test_bins_are_halved_by_the_number_of_rows_alone() -> None:
    sizes = [int(pooling.groups([1000] * 20, rows, True).max()) + 1 for rows in (1000, 200, 199, 100)]
    assert sizes == [20, 20, 10, 10]


def test_unseen_levels_never_stand_alone() -> None:
    assert pooling.groups([500, 300, 200, 0], 10_000, ordered=False).tolist() == [0, 1, 2, 2]


def test_the_largest_levels_keep_their_own_group_when_rows_are_few() -> None:
    counts = [100] * 25 + [900, 800, 700, 600] + [100]
    group = pooling.groups(counts, 100, ordered=False)
    assert len({*group[25:29].tolist()}) == 4
    assert set(group[:25].tolist()) == {group[-1]}
