"""`make bench-drift`: our drift verdicts beside Evidently, NannyML, river, whylogs and Frouros, on streams of known truth.

    python -m tests.bench.drift [--parts null,ladder,cost,...] [--streams mean,seg] [--methods river,whylogs] [--repeats 5]
                                [--long] [--seed 1] [--jobs 2]

Parts: null, ladder, joint, season, generators, corruptions, nannyml (each a family of streams), flights, annotated, cost. Writes
build/bench/drift.json, and drift.svg where the ladder was run. Fails no build. The first run installs the peers into Trimtab's
cache. Peers are judged at their defaults, and re-thresholded to our rate of false alarms: only those delays can be compared.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench import venvs
from tests.bench.drift import annotated, costs, flights, outcomes, picture, results, rounds, streams
from tests.bench.drift.methods import METHODS, OURS, Method
from tests.bench.drift.outcomes import Outcome
from tests.bench.drift.processes import Process
from tests.bench.drift.rounds import Found, Plan
from tests.bench.drift.streams import Stream

OUT = Path(__file__).parents[3] / "build" / "bench"
REPEATS, LONG = 5, 100
OTHERS = ("flights", "annotated", "cost")
PARTS = (*streams.PARTS, *OTHERS)


def main(arguments: Sequence[str]) -> int:
    chosen = _options().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    began = time.monotonic()
    print(f"1 minute load before the start: {os.getloadavg()[0]:.2f}", flush=True)
    asked = _streams(chosen.parts, chosen.streams)
    plan = Plan(chosen.repeats or (LONG if chosen.long else REPEATS), chosen.seed, chosen.long, chosen.jobs)
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as name:
        folder = Path(name)
        with rounds.processes(_available(chosen.methods), folder) as started:
            made, seen = _measured(asked, chosen.parts, started, plan, folder)
    print(results.summary(made))
    print("seconds of CPU: " + ", ".join(f"{each.method.name} {each.seconds:.0f}" for each in started))
    _write(made, seen)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; 1 minute load at the end: {os.getloadavg()[0]:.2f}")
    return 0


def _measured(
    asked: Sequence[Stream], parts: Sequence[str], started: Sequence[Process], plan: Plan, folder: Path
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Rows of the result, and what the picture is drawn from."""
    spent = costs.measure(started, folder) if "cost" in parts else {}
    seen = _shown(asked, started, plan, folder) if asked else []
    made = results.rows(seen, spent)
    if "flights" in parts:
        made += flights.rows(flights.measure(started, folder))
    if "annotated" in parts:
        made += annotated.rows(annotated.measure(started, folder))
    return made, seen


def _shown(asked: Sequence[Stream], started: Sequence[Process], plan: Plan, folder: Path) -> list[Outcome]:
    """Every stream, each told as a line when all methods have seen it."""
    seen: list[Outcome] = []
    heads: list[tuple[str, bool]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(soft_wrap=True, highlight=False, markup=False)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("streams", total=len(asked))

        def tell(stream: Stream, found: Found) -> None:
            seen.append(outcomes.outcome(stream, found))
            if heads[-1:] != [(stream.part, stream.null)]:
                heads.append((stream.part, stream.null))
                console.print(f"\n{stream.part}\n{results.heading(stream.null)}")
            console.print(results.line(seen[-1]))
            for method, why in seen[-1].failed.items():
                console.print(f"    {method}: {why}")
            progress.advance(task)

        rounds.measure(asked, started, plan, folder, tell)
    return seen


def _streams(parts: Sequence[str], words: Sequence[str]) -> list[Stream]:
    """Those asked for, and those that they are judged beside."""
    every = [stream for stream in streams.table() if stream.part in parts]
    wanted = [stream for stream in every if not words or any(word in stream.key for word in words)]
    families = {stream.family for stream in wanted}
    return [stream for stream in every if stream in wanted or stream.key in families]


def _available(methods: Sequence[Method]) -> list[Method]:
    """Those that can be installed here; it is said of the others why not."""
    found = []
    for method in methods:
        try:
            method.command()
            found.append(method)
        except venvs.UnavailableError as error:
            print(f"{method.name} takes no part: {error}", flush=True)
    return found


def _write(made: Sequence[dict[str, Any]], seen: Sequence[Outcome]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "drift.json").write_text(json.dumps(made, indent=1, allow_nan=False))
    print("written to build/bench/drift.json")
    if drawn := picture.svg(seen):
        (OUT / "drift.svg").write_text(drawn)
        print("drawn in build/bench/drift.svg")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drift", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--parts", type=_parts, default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--streams", type=_words, default=[], help="parts of keys, as in mean-0.3,digits-noise")
    parser.add_argument(
        "--methods", type=_methods, default=list(METHODS), help="beginnings of names, ours is always there"
    )
    parser.add_argument("--repeats", type=int, help=f"of what is drawn; {REPEATS}, or {LONG} with --long")
    parser.add_argument(
        "--long", action="store_true", help="100 repeats, peers everywhere as often as ours, and KSWIN: hours"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes at once")
    return parser


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _parts(text: str) -> list[str]:
    if unknown := [word for word in _words(text) if word not in PARTS]:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return _words(text)


def _methods(text: str) -> list[Method]:
    words = tuple(word.casefold() for word in _words(text))
    return [method for method in METHODS if method.name == OURS or method.name.casefold().startswith(words)]


def _leave(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C: every process is ended on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted: every process was ended, nothing was written")
