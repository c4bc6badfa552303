"""Numbers of the rules, as the pages state them, are the constants of the code."""

import pytest

from tests.unit.docs.pages import ROOT
from trimtab.api.wire.runs import TERMINATION_BYTES
from trimtab.drift import archive, budget, edges, elsewhere, pooling, profile, quality, references, shifts, windows
from trimtab.training import bootstrap, gates, message, parity, preprocess

TOLERATED = budget.TOLERATED
PERCENT = 100

STATED = {
    "statistics.md": {
        f"preset ({TOLERATED['High']}, {TOLERATED['Medium']}, {TOLERATED['Low']})",
        f"{budget.TOLERATED_SMALL} below {budget.SMALL:,} reference rows",
        f"never above {budget.HIGHEST_LEVEL}",
        "plus one percentage point and four of its standard errors"
        if (elsewhere.FLOOR, elsewhere.ERRORS) == (0.01, 4)
        else "other numbers",
        f"stride {', '.join(map(str, budget.STRIDES.values()))} at the scales {', '.join(map(str, budget.STRIDES))}",
        f"fewer than {pooling.LEAST_EXPECTED} expected rows",
        f"{pooling.LEAST_ROWS} rows at least, {pooling.ROWS_PER_GROUP} a group",
        f"10 below {edges.ENOUGH:,} rows",
        f"{edges.HEAVY:.0%} of the rows has a bin of its own".replace("%", " %"),
        f"{edges.FEW} distinct values or fewer",
        f"up to {references.MAX_LEVELS} named levels with {references.LEVEL_SHARE * PERCENT:g} %",
        f"up to {bootstrap.DRAWS:,} resamples",
        f"fewer than {gates.CLEAN_ROWS} such rows, or {gates.CLEAN_BLOCKS} such days",
        f"up to {preprocess.ONE_HOT} levels of {preprocess.LEVEL_ROWS} rows or more",
        f"up to {preprocess.TREE_ONE_HOT} levels",
        f"up to {preprocess.HISTOGRAM_LEVELS} levels",
        f"probabilities within {parity.TOLERANCE:.0e} on all".replace("e-0", "e-"),
    },
    "monitoring.md": {
        f"High {TOLERATED['High']}, Medium {TOLERATED['Medium']}, Low {TOLERATED['Low']}",
        f"Minor below {shifts.MODERATE}, Moderate below {shifts.MAJOR}",
        f"more than {quality.MANY} distinct values",
        f"At least {pooling.LEAST_ROWS} rows with a value",
        f"At most {profile.MAX_FEATURES} columns are watched",
        f"over {quality.STILL} windows",
    },
    "formats.md": {
        f"at most {TERMINATION_BYTES:,} bytes ({message.LOOK_BYTES:,} of a look)",
        f"up to {windows.BASES_KEPT} closed base windows, up to {windows.BLOCKS_KEPT} sums of {windows.BLOCK}",
        f"At most {archive.LIMIT >> 10} KiB",
    },
}


@pytest.mark.parametrize("page", STATED)
def test_a_page_states_the_numbers_of_the_code(page: str) -> None:
    text = " ".join((ROOT / "docs" / page).read_text().split())
    assert {one for one in STATED[page] if one not in text} == set()
