"""Rounds of one model: every contender is started, checked, and loaded in turns, in alternating order. Prints as it goes."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.serving import goals, processes
from tests.bench.serving.contenders import OURS, UNCONVERTED, UNCOUNTED, Contender, Started
from tests.bench.serving.loads import BrokenLoadError, Load
from tests.bench.serving.measurements import Found, Start, Taken
from tests.bench.serving.models import Prepared
from tests.bench.serving.scenarios import Scenario
from tests.bench.serving.trials import NotOfferedError, Trial, WrongError, trial
from tests.venvs import UnavailableError

_WARM_SECONDS = 1


@dataclass(frozen=True)
class Up:
    """A contender that is up, and the folder for its files."""

    started: Started
    server: processes.Running
    folder: Path


def takes_part(contender: Contender, case: tuple[str, str]) -> bool:
    """The variants of ours are run only where a goal asks for them."""
    if contender.name == UNCONVERTED:
        return case in goals.UNCONVERTED
    return contender.name != UNCOUNTED or case in goals.COUNTING


def start_up(found: Found, prepared: Prepared, contenders: Sequence[Contender], starts: int, scratch: Path) -> None:
    """Start each contender alone so many times, in turns; only ours as it ships, and the peers."""
    for turn in range(starts):
        for contender in _ordered([each for each in contenders if each.peer or each.name == OURS], turn):
            folder = scratch / f"start-{turn}-{_slug(contender.name)}"
            try:
                with processes.running(_started(contender, prepared, folder).launch, folder / "log") as server:
                    start = Start(server.seconds, server.resident())
            except (UnavailableError, processes.NotReadyError) as error:
                print(f"  start: {contender.name} FAILED: {error}", flush=True)
                continue
            found.starts.setdefault(contender.name, []).append(start)
            print(f"  start {turn + 1}: {contender.name} {start.seconds:.2f} s, {start.megabytes:.0f} MB", flush=True)


def measure(
    found: Found,
    prepared: Prepared,
    contenders: Sequence[Contender],
    scenarios: Sequence[Scenario],
    rounds: int,
    seconds: int,
    scratch: Path,
) -> None:
    """Load every contender in every scenario, `rounds` times."""
    key = prepared.workload.key
    with ExitStack() as servers:
        up = {}
        for contender in contenders:
            if not any(takes_part(contender, (key, scenario.name)) for scenario in scenarios):
                continue
            folder = scratch / f"{key}-{_slug(contender.name)}"
            try:
                made = _started(contender, prepared, folder)
                up[contender] = Up(made, servers.enter_context(processes.running(made.launch, folder / "log")), folder)
            except (UnavailableError, processes.NotReadyError) as error:
                for scenario in scenarios:
                    found.fail((key, scenario.name), contender.name, str(error))
        for scenario in scenarios:
            trials = _trials(found, prepared, up, scenario)
            if trials:
                _rounds(found, (key, scenario.name), up, trials, rounds, seconds)


def _rounds(
    found: Found,
    case: tuple[str, str],
    up: dict[Contender, Up],
    trials: dict[Contender, Trial],
    rounds: int,
    seconds: int,
) -> None:
    for each in trials.values():
        with suppress(BrokenLoadError):  # a slow server may not answer once in this time
            each.load(_WARM_SECONDS)
    for turn in range(rounds):
        for contender in _ordered(list(trials), turn):
            if contender.name in found.failed.get(case, {}):
                continue
            used = up[contender].server.processor()
            load = _load(found, case, contender, trials[contender], seconds)
            if load is not None:
                taken = Taken(load, (up[contender].server.processor() - used) / load.answers * 1e6)
                found.loads.setdefault(case, {}).setdefault(contender.name, []).append(taken)
        rates = {name: taken[turn].load.rate for name, taken in found.loads.get(case, {}).items()}
        print(
            f"  {case[0]} {case[1]} round {turn + 1}: " + ", ".join(f"{n} {r:.0f}/s" for n, r in rates.items()),
            flush=True,
        )


def _load(found: Found, case: tuple[str, str], contender: Contender, each: Trial, seconds: int) -> Load | None:
    try:
        return each.load(seconds)
    except BrokenLoadError as error:
        found.fail(case, contender.name, str(error))
        return None


def _trials(found: Found, prepared: Prepared, up: dict[Contender, Up], scenario: Scenario) -> dict[Contender, Trial]:
    """What each contender is sent in this scenario; none where ours does not offer it, since there is nothing to compare."""
    case, trials = (prepared.workload.key, scenario.name), {}
    for contender, each in up.items():
        if not takes_part(contender, case):
            continue
        try:
            trials[contender] = trial(contender, each.started, prepared, scenario, each.folder)
        except NotOfferedError as error:
            if contender.name == OURS:
                found.skip(case, f"{contender.name}: {error}")
                return {}
            print(f"  {case[0]} {case[1]}: {contender.name} takes no part: {error}", flush=True)
        except (WrongError, UnavailableError) as error:
            found.fail(case, contender.name, str(error))
    return trials


def _started(contender: Contender, prepared: Prepared, folder: Path) -> Started:
    folder.mkdir(parents=True)
    return contender.start(prepared, folder)


def _ordered(contenders: list[Contender], turn: int) -> list[Contender]:
    return contenders if turn % 2 == 0 else contenders[::-1]


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
