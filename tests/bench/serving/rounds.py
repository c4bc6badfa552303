"""Rounds of one model: every contender is started, checked, and loaded in turns, in alternating order. Prints as it goes."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.serving import goals, processes
from tests.bench.serving.contenders import OURS, UNCONVERTED, UNCOUNTED, Contender, Started
from tests.bench.serving.loads import BrokenLoadError, Load
from tests.bench.serving.models import Prepared
from tests.bench.serving.scenarios import Scenario
from tests.bench.serving.trials import NotOfferedError, Trial, WrongError, trial
from tests.bench.serving.venvs import UnavailableError

_WARM_SECONDS = 1


@dataclass(frozen=True)
class Start:
    """One start of one server with one model."""

    seconds: float
    megabytes: float


@dataclass
class Found:
    """All that was measured. A contender that failed in a case has a sentence in `failed` and no number."""

    loads: dict[tuple[str, str], dict[str, list[Load]]] = field(default_factory=dict)
    """By model and scenario, then by contender, one a round."""
    failed: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    skipped: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why a case was not run at all."""
    starts: dict[str, list[Start]] = field(default_factory=dict)

    def fail(self, case: tuple[str, str], contender: str, why: str) -> None:
        """From here on this contender has no number in this case."""
        self.failed.setdefault(case, {})[contender] = why
        self.loads.get(case, {}).pop(contender, None)
        print(f"  {case[0]} {case[1]}: {contender} FAILED: {why}", flush=True)

    def skip(self, case: tuple[str, str], why: str) -> None:
        """The case is not run."""
        self.skipped[case] = why
        print(f"  {case[0]} {case[1]}: SKIPPED: {why}", flush=True)


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
        started = {}
        for contender in contenders:
            if not any(takes_part(contender, (key, scenario.name)) for scenario in scenarios):
                continue
            folder = scratch / f"{key}-{_slug(contender.name)}"
            try:
                made = _started(contender, prepared, folder)
                servers.enter_context(processes.running(made.launch, folder / "log"))
                started[contender] = (made, folder)
            except (UnavailableError, processes.NotReadyError) as error:
                for scenario in scenarios:
                    found.fail((key, scenario.name), contender.name, str(error))
        for scenario in scenarios:
            trials = _trials(found, prepared, started, scenario)
            if trials:
                _rounds(found, (key, scenario.name), trials, rounds, seconds)


def _rounds(found: Found, case: tuple[str, str], trials: dict[Contender, Trial], rounds: int, seconds: int) -> None:
    for contender, each in trials.items():
        _load(found, case, contender, each, _WARM_SECONDS, kept=False)
    for turn in range(rounds):
        for contender in _ordered(list(trials), turn):
            if contender.name not in found.failed.get(case, {}):
                _load(found, case, contender, trials[contender], seconds, kept=True)
        rates = {name: loads[turn].rate for name, loads in found.loads.get(case, {}).items()}
        print(
            f"  {case[0]} {case[1]} round {turn + 1}: " + ", ".join(f"{n} {r:.0f}/s" for n, r in rates.items()),
            flush=True,
        )


def _load(found: Found, case: tuple[str, str], contender: Contender, each: Trial, seconds: int, *, kept: bool) -> None:
    try:
        load = each.load(seconds)
    except BrokenLoadError as error:
        found.fail(case, contender.name, str(error))
        return
    if kept:
        found.loads.setdefault(case, {}).setdefault(contender.name, []).append(load)


def _trials(
    found: Found, prepared: Prepared, started: dict[Contender, tuple[Started, Path]], scenario: Scenario
) -> dict[Contender, Trial]:
    """What each contender is sent in this scenario; none where ours does not offer it, since there is nothing to compare."""
    case, trials = (prepared.workload.key, scenario.name), {}
    for contender, (made, folder) in started.items():
        if not takes_part(contender, case):
            continue
        try:
            trials[contender] = trial(contender, made, prepared, scenario, folder)
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
