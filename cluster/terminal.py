"""What a person sees: progress on standard error, and the one error type that is shown without a traceback."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HEARTBEAT = 60.0
"""Seconds between two signs of life of one step where output is not a terminal: build servers end silent jobs."""


class ClusterError(Exception):
    """Something a person must know or do; the message says what."""


def say(text: str) -> None:
    """Prints one line of progress."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Shows what is being done and, when it ends, how long it took."""
    started = time.monotonic()
    done = threading.Event()
    watcher = threading.Thread(target=_beat, args=(text, started, done), daemon=True)
    watcher.start()
    outcome = "failed after"
    try:
        yield
        outcome = "done in"
    finally:
        done.set()
        watcher.join()
        clear = "\r\033[K" if sys.stderr.isatty() else ""
        say(f"{clear}{text}: {outcome} {time.monotonic() - started:.1f} s")


def _beat(text: str, started: float, done: threading.Event) -> None:
    alive = sys.stderr.isatty()
    while not done.wait(0.5 if alive else HEARTBEAT):
        elapsed = f"{text}: {time.monotonic() - started:.0f} s"
        print(f"\r\033[K{elapsed}" if alive else elapsed, end="" if alive else "\n", file=sys.stderr, flush=True)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    text: str | None = None,
    what: str | None = None,
) -> str:
    """Runs a command to its end and returns its standard output.

    `text` goes to its standard input. Raises ClusterError with the command's own last words when it fails.
    """
    command = [str(part) for part in argv]
    try:
        done = subprocess.run(
            command, env=env, cwd=cwd, input=text, stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    except FileNotFoundError as e:
        raise ClusterError(f"{command[0]} is not installed ({what or ' '.join(command[:2])})") from e
    if done.returncode != 0:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-25:])
        raise ClusterError(f"{what or ' '.join(command)} failed with exit code {done.returncode}:\n{words}")
    return done.stdout
