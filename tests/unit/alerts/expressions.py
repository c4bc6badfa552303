"""What an expression in PromQL speaks of: its series, what it asks of their labels, and the labels that it groups by.

No parser: promtool is that. It finds names, which promtool takes whatever they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.unit.alerts.series import SCRAPED, VALUES, exported

TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>\d[\d.]*(?:e-?\d+|[smhdwy])?)|(?P<word>[a-zA-Z_:][\w:]*)|(?P<sign>[=!]~|[=!<>]=|[^\s])'
)
LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})


@dataclass(frozen=True)
class Matcher:
    """What is asked of one label of a series: `label operator "value"`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True)
class Selector:
    """One series that is named."""

    series: str
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True)
class Spoken:
    """All names in an expression. `made`: labels that it makes itself, by label_replace."""

    selectors: tuple[Selector, ...]
    grouped: frozenset[str]
    made: frozenset[str]


def read(expression: str) -> Spoken:
    """
    >>> found = read('sum by (pod) (rate(errors_total{code=~"5.."}[5m])) / on () group_left () up')
    >>> [selector.series for selector in found.selectors], found.grouped
    (['errors_total', 'up'], frozenset({'pod'}))
    >>> found.selectors[0].matchers
    (Matcher(label='code', operator='=~', value='5..'),)
    """
    tokens = [(match.lastgroup or "", match[0]) for match in TOKEN.finditer(expression)]
    selectors, grouped = [], set()
    position = 0
    while position < len(tokens):
        kind, text = tokens[position]
        after = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        position += 1
        if kind != "word" or text in WORDS:
            continue
        if text in LISTS and after == "(":
            end = _end(tokens, position, ")")
            grouped |= {word for sort, word in tokens[position:end] if sort == "word"}
            position = end
        elif after == "{":
            end = _end(tokens, position, "}")
            selectors.append(Selector(text, tuple(_matchers(tokens[position + 1 : end]))))
            position = end
        elif after not in ("(", "by", "without") and text not in LISTS:
            selectors.append(Selector(text, ()))
    made = re.findall(r'label_replace\(.*?"(\w+)",\s*"\$1"', expression, re.DOTALL)
    return Spoken(tuple(selectors), frozenset(grouped), frozenset(made))


def _end(tokens: list[tuple[str, str]], start: int, sign: str) -> int:
    return next(i for i in range(start, len(tokens)) if tokens[i] == ("sign", sign))


def _matchers(tokens: list[tuple[str, str]]) -> Iterator[Matcher]:
    words = [text for _, text in tokens if text != ","]
    for label, operator, value in zip(words[::3], words[1::3], words[2::3], strict=True):
        yield Matcher(label, operator, value[1:-1])


def faults(expression: str, recorded: Mapping[str, frozenset[str]] | None = None) -> list[str]:
    """Series that nobody exports or records, labels that they have not, and words that a label never says."""
    known = {**exported(), **(recorded or {})}
    spoken = read(expression)
    found = [f"nobody exports {selector.series}" for selector in spoken.selectors if selector.series not in known]
    if not spoken.selectors:
        found.append("it names no series")
    there = set(SCRAPED | spoken.made)
    for selector in spoken.selectors:
        labels = known.get(selector.series, frozenset())
        there |= labels
        found += [f"{selector.series} has no label {m.label}" for m in selector.matchers if m.label not in labels]
        found += [f"{m.label} never says {m.value}" for m in selector.matchers if not _can_be(m)]
    return found + [f"no series has a label {label}" for label in sorted(spoken.grouped - there)]


def _can_be(matcher: Matcher) -> bool:
    """Whether each alternative is a word that the label may say; of labels with any text, always."""
    words = VALUES.get(matcher.label)
    if words is None or matcher.value.startswith("$"):
        return True
    parts = matcher.value.split("|") if "~" in matcher.operator and "(" not in matcher.value else [matcher.value]
    return all(any(re.fullmatch(part, word) for word in words) for part in parts)
