"""Files of boosting libraries that were cut short or changed: refused or loaded, and never the end of the process.

The libraries themselves are ended by most of these files, which would end this test run.
"""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from lightgbm import LGBMClassifier
from xgboost import XGBClassifier

from tests.unit.model import boosted
from trimtab.api.wire.models import Format
from trimtab.model.engine import UnloadableModelError

NUMBERS = (b"99999999", b"-7", b"2147483647", b"4294967296", b"1e39", b"nan", b"99999999999999999999")
KINDS: tuple[tuple[Format, str], ...] = (("XGBoost", "ubj"), ("XGBoost", "json"), ("LightGBM", "txt"))
Change = Callable[[bytearray, random.Random], None]


@cache
def whole(kind: str) -> bytes:
    """A small model with categories."""
    rows = boosted.categorical()
    late = (rows["size"] + 2 * (rows["carrier"] == "UA") > 1).astype(int)
    if kind == "txt":
        fitted = LGBMClassifier(n_estimators=3, num_leaves=6, min_data_per_group=5, n_jobs=1, verbose=-1).fit(rows, late)
        return str(fitted.booster_.model_to_string()).encode()
    boost = XGBClassifier(n_estimators=3, max_depth=3, max_cat_to_onehot=1, n_jobs=1, enable_categorical=True)
    return bytes(boost.fit(rows, late).get_booster().save_raw(kind))


def loads(folder: Path, content: bytes, artifact: Format) -> bool:
    """Whether it does; then it answers, too."""
    try:
        engine = boosted.opened(folder, content, artifact)
    except UnloadableModelError:
        return False
    rows = boosted.frame(boosted.strange(boosted.categorical(64)))
    given = {column.name: rows.get(column.name, rows["size"]) for column in engine.signature.inputs}
    assert len(engine.predict(given).classes) == 64  # type: ignore[arg-type]
    return True


@pytest.mark.parametrize(("artifact", "kind"), KINDS)
def test_files_that_were_cut_short_are_refused(artifact: Format, kind: str, tmp_path: Path) -> None:
    content = whole(kind)
    assert loads(tmp_path, content, artifact)
    lengths = {*range(40), *range(40, len(content) - 40, 97), *range(len(content) - 40, len(content) - 1)}
    last = len(content.rstrip(b"\n")) if kind == "txt" else len(content)
    parameters = content.find(b"end of parameters\n") + len(b"end of parameters\n")
    for length in sorted(lengths):
        if length < last and not (kind == "txt" and length in (parameters, parameters + 1)):
            assert not loads(tmp_path, content[:length], artifact), length


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8))):
        content[chance.randrange(len(content))] = chance.randrange(256)


def digits(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4))):
        content[chance.choice([i for i, byte in enumerate(content) if 48 <= byte <= 57])] = chance.choice(b"0123456789-")


def huge(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4))):
        place = chance.choice([i for i, byte in enumerate(content) if 48 <= byte <= 57])
        content[place : place + 1] = chance.choice(NUMBERS)


def repeat(content: bytearray, chance: random.Random) -> None:
    start, place = chance.randrange(len(content)), chance.randrange(len(content))
    content[place:place] = content[start : start + chance.randrange(1, 60)]


@pytest.mark.parametrize("change", [flip, digits, huge, repeat], ids=lambda change: change.__name__)
@pytest.mark.parametrize(("artifact", "kind"), KINDS)
def test_files_that_were_changed_are_refused_or_answer(
    artifact: Format, kind: str, change: Change, tmp_path: Path
) -> None:
    chance = random.Random(7)
    refused = 0
    for _ in range(40):
        content = bytearray(whole(kind))
        change(content, chance)
        refused += not loads(tmp_path, bytes(content), artifact)
    assert refused
