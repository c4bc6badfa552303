"""`make bench-serving`: our model server beside MLServer, KServe, BentoML and FastAPI, on one core, in turns.

    python -m tests.bench.serving [--models lr,rf,hgb,mixed] [--scenarios 1x16,100x4-binary] [--servers "Trimtab,KServe"]
                                  [--rounds 3] [--seconds 4] [--starts 3]

Ours serves what our own training published, with its reference profile, so that it counts. Servers run on core 0 and the load
comes from core 1, over loopback alone. Written to build/bench/serving.json. Fails no build. The first run installs the peers
into Trimtab's cache; `apt-get install wrk nghttp2-client` brings the load generators.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TypeVar

from tests.bench.serving import loads, measurements, models, results, rounds
from tests.bench.serving.contenders import CONTENDERS, OURS, Contender
from tests.bench.serving.processes import CLIENT_CORE, SERVER_CORE
from tests.bench.serving.scenarios import SCENARIOS, Scenario, parse

OUT = Path(__file__).parents[3] / "build" / "bench" / "serving.json"
_T = TypeVar("_T")


def main(arguments: Sequence[str]) -> int:
    chosen = _options().parse_args(arguments)
    if problem := _problem(chosen.scenarios):
        print(problem, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _leave)
    found, prepared = measurements.Found(), []
    print(f"1 minute load before the start: {os.getloadavg()[0]:.2f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as name:
        folder = Path(name)
        for workload in chosen.models:
            print(f"{workload.title}: training and publishing", flush=True)
            prepared.append(models.prepare(workload, folder / workload.key))
            print(f"{workload.title}: published as {prepared[-1].format}", flush=True)
        if chosen.starts:
            rounds.start_up(found, prepared[0], chosen.servers, chosen.starts, folder)
        for each in prepared:
            rounds.measure(found, each, chosen.servers, chosen.scenarios, chosen.rounds, chosen.seconds, folder)
    made = results.rows(found, prepared)
    print(results.table(made))
    for (model, scenario), why in found.skipped.items():
        print(f"skipped: {model} {scenario}: {why}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(made, indent=2, allow_nan=False))
    print(f"written to {OUT.relative_to(OUT.parents[2])}; 1 minute load at the end: {os.getloadavg()[0]:.2f}")
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.serving", description=__doc__.split("\n", 1)[0])
    known = {workload.key: workload for workload in models.WORKLOADS}
    parser.add_argument("--models", type=_list(known.__getitem__), default=list(known.values()), help=", ".join(known))
    parser.add_argument(
        "--scenarios", type=_list(parse), default=list(SCENARIOS), help=", ".join(s.name for s in SCENARIOS)
    )
    parser.add_argument(
        "--servers", type=_servers, default=list(CONTENDERS), help="beginnings of names, ours is always there"
    )
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 21), metavar="1..20")
    parser.add_argument("--seconds", type=int, default=4, choices=range(1, 61), metavar="1..60", help="of each load")
    parser.add_argument(
        "--starts", type=int, default=3, choices=range(11), metavar="0..10", help="of each server, first model"
    )
    return parser


def _list(of: Callable[[str], _T]) -> Callable[[str], list[_T]]:
    def read(text: str) -> list[_T]:
        try:
            return [of(word) for word in text.split(",")]
        except (KeyError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _servers(text: str) -> list[Contender]:
    words = tuple(word.strip().casefold() for word in text.split(",") if word.strip())
    return [each for each in CONTENDERS if each.name == OURS or each.name.casefold().startswith(words)]


def _problem(scenarios: Sequence[Scenario]) -> str | None:
    """What this machine lacks."""
    if not {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0):
        return "two cores are needed: 0 for the server and 1 for the load"
    wanted = {"h2load" if scenario.way == "gRPC" else "wrk" for scenario in scenarios}
    missing = [loads.TOOLS[tool] for tool in ("wrk", "h2load") if tool in wanted and not shutil.which(tool)]
    return f"the load generator is missing: apt-get install {' '.join(missing)}" if missing else None


def _leave(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C: every server is ended on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted: every server was ended, nothing was written")
