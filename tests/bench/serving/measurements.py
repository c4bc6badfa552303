"""What was measured, as it comes in: loads, starts, failures, and cases that were not run. Failures are printed at once."""

from dataclasses import dataclass, field

from tests.bench.serving.loads import Load


@dataclass(frozen=True)
class Start:
    """One start of one server with one model."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Taken:
    """One load of one server, and what it cost: microseconds of CPU a request."""

    load: Load
    micros: float


@dataclass
class Found:
    """All that was measured. A contender that failed in a case has a sentence in `failed` and no number."""

    loads: dict[tuple[str, str], dict[str, list[Taken]]] = field(default_factory=dict)
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
