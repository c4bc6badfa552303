"""Panels and dashboards in the form that Grafana imports. Knows nothing of Trimtab's series; see `boards`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Any

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True)
class Query:
    """An expression and the name of its lines. `column`: its name in a table."""

    expr: str
    legend: str = ""
    column: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel. `steps`: from which value on it turns orange, and red. `words`: what to show for values."""

    title: str
    queries: Sequence[Query]
    text: str = ""
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 8
    height: int = 7
    steps: Sequence[float] = ()
    words: Mapping[int, str] = field(default_factory=dict)
    top: float | None = None
    hidden: Sequence[str] = ()
    """Columns that a table leaves out."""
    name: bool = False
    """A stat shows the name of the series, not its value."""


@dataclass(frozen=True)
class Row:
    """A heading over the panels below it."""

    title: str


@dataclass(frozen=True)
class Variable:
    """Something to choose above the panels: the values of a label. `many`: several or all of them."""

    name: str
    query: str
    many: bool = False


def number(title: str, expr: str, text: str = "", steps: tuple[float, ...] = (1,)) -> Panel:
    """One number; where there is nothing to count, 0."""
    return Panel(title, [Query(f"({expr}) or vector(0)")], text, kind="stat", width=4, height=4, steps=steps)


def dashboard(uid: str, title: str, text: str, variables: Sequence[Variable], parts: Sequence[Panel | Row]) -> str:
    """The file of one dashboard."""
    built: Json = {
        "uid": uid,
        "title": title,
        "description": text,
        "tags": ["trimtab"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "links": [_link()],
        "templating": {"list": [_datasource(), *map(_variable, variables)]},
        "panels": _placed(parts),
    }
    return json.dumps(built, indent=1) + "\n"


def _link() -> Json:
    """To the other dashboards, with the same time and the same choice."""
    return {
        "type": "dashboards",
        "tags": ["trimtab"],
        "title": "Trimtab",
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


def _datasource() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}


def _variable(given: Variable) -> Json:
    return {
        "name": given.name,
        "label": given.name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": given.query, "refId": given.name},
        "refresh": 2,
        "sort": 1,
        "multi": given.many,
        "includeAll": given.many,
        **({"current": {"text": ["All"], "value": ["$__all"]}} if given.many else {}),
    }


def _placed(parts: Sequence[Panel | Row]) -> list[Json]:
    """From left to right, and below where there is no room left."""
    found, x, y, deep = [], 0, 0, 0
    for number, part in enumerate(parts, 1):
        width, height = (WIDTH, 1) if isinstance(part, Row) else (part.width, part.height)
        if x + width > WIDTH:
            x, y, deep = 0, y + deep, 0
        place = {"h": height, "w": width, "x": x, "y": y}
        found.append({"id": number, "gridPos": place, **(_row(part) if isinstance(part, Row) else _panel(part))})
        x, deep = x + width, max(deep, height)
    return found


def _row(row: Row) -> Json:
    return {"type": "row", "title": row.title, "collapsed": False, "panels": []}


def _panel(panel: Panel) -> Json:
    form = {"timeseries": _graph, "stat": _stat, "table": _table}[panel.kind](panel)
    return {
        "type": panel.kind,
        "title": panel.title,
        **({"description": panel.text} if panel.text else {}),
        "datasource": SOURCE,
        "targets": [_target(panel, number, query) for number, query in enumerate(panel.queries)],
        **form,
    }


def _target(panel: Panel, number: int, query: Query) -> Json:
    """A table shows what is now, and so does a stat."""
    now = panel.kind != "timeseries"
    return {
        "refId": chr(ord("A") + number),
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": now,
        "range": not now,
        **({"format": "table"} if panel.kind == "table" else {}),
    }


def _field(panel: Panel) -> Json:
    colours = zip(("orange", "red"), panel.steps, strict=False)
    steps = [{"color": "green", "value": None}, *({"color": colour, "value": value} for colour, value in colours)]
    words = {str(value): {"text": text} for value, text in panel.words.items()}
    return {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        **({"mappings": [{"type": "value", "options": words}]} if words else {}),
        **({"max": panel.top} if panel.top is not None else {}),
    }


def _graph(panel: Panel) -> Json:
    style = {"thresholdsStyle": {"mode": "line"}} if panel.steps else {}
    return {
        "fieldConfig": {
            "defaults": {**_field(panel), "min": 0, "custom": {"fillOpacity": 5, **style}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _stat(panel: Panel) -> Json:
    return {
        "fieldConfig": {"defaults": {**_field(panel), "noValue": "–"}, "overrides": []},
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "values": False},
            "textMode": "name" if panel.name else "auto",
            "colorMode": "value",
            "graphMode": "none",
        },
    }


def _table(panel: Panel) -> Json:
    """Queries side by side, joined by the labels that they share."""
    columns = {f"Value #{chr(ord('A') + number)}": query.column for number, query in enumerate(panel.queries)}
    if len(panel.queries) == 1:
        columns = {"Value": panel.queries[0].column}
    hidden = ["Time", *panel.hidden, *(name for name, shown in columns.items() if not shown)]
    organize = {
        "excludeByName": dict.fromkeys(hidden, True),
        "renameByName": {name: shown for name, shown in columns.items() if shown},
    }
    return {
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": {"showHeader": True},
        "transformations": [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
    }
