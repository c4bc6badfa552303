"""One load of one server: wrk for HTTP, h2load for gRPC, on the other core. Whatever is not an answer is an error."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.serving.processes import CLIENT_CORE
from tests.bench.serving.scenarios import Scenario

TOOLS = {"wrk": "wrk", "h2load": "nghttp2-client"}
"""Each with the Debian package that has it."""
_REPLAY = Path(__file__).with_name("replay.lua")
_GRPC = "/inference.GRPCInferenceService/ModelInfer"
_MARGIN = 30
_TIMEOUT = 10


class BrokenLoadError(Exception):
    """Some requests were not answered as they should be: there is no number then."""


@dataclass(frozen=True)
class Load:
    """What one load saw: answers, answers a second, and percentiles of latency in milliseconds."""

    answers: int
    rate: float
    p50: float
    p99: float


def http(port: int, messages: list[bytes], scenario: Scenario, seconds: int, scratch: Path) -> Load:
    """Send recorded messages in turn for so many seconds; raises `BrokenLoadError` when any is not answered by 2xx."""
    records = scratch / "records"
    records.write_bytes(b"".join(b"%d\n%s" % (len(each), each) for each in messages))
    tool = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "--timeout", f"{_TIMEOUT}s", "-s", str(_REPLAY)]
    out = _run([*tool, f"http://127.0.0.1:{port}", "--", str(records)], seconds)
    if (line := re.search(r"REPLAYED (\{.*\})", out)) is None:
        raise BrokenLoadError(f"wrk said {out[-200:]!r}")
    found = json.loads(line[1])
    if found["refused"] or found["broken"] or not found["answers"]:
        raise BrokenLoadError(
            f"{found['answers']} answers, {found['refused']} of them not 2xx, and {found['broken']} socket errors"
        )
    return Load(found["answers"], found["answers"] / found["micros"] * 1e6, found["p50"] / 1e3, found["p99"] / 1e3)


def grpc(port: int, message: Path, answer_bytes: int, scenario: Scenario, seconds: int, scratch: Path) -> Load:
    """Send one recorded message again and again, one at a time on each connection.

    A failed call is 200 in HTTP, but has no message: every answer must have the bytes of the one that was checked.
    """
    times = scratch / "times"
    times.unlink(missing_ok=True)
    tool = [
        "h2load",
        "-t1",
        f"-c{scenario.connections}",
        "-m1",
        f"-D{seconds}",
        "-d",
        str(message),
        f"--log-file={times}",
    ]
    headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
    out = _run([*tool, *headers, f"http://127.0.0.1:{port}{_GRPC}"], seconds)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", out)
    data = re.search(r"\((\d+)\) data", out)
    if codes is None or failed is None or data is None or not times.exists():
        raise BrokenLoadError(f"h2load said {out[-300:]!r}")
    answers, errors = int(codes[1]), sum(map(int, [*codes.groups()[1:], *failed.groups()]))
    if errors or not answers or int(data[1]) < answers * answer_bytes:
        raise BrokenLoadError(
            f"{answers} answers with {data[1]} bytes, {answer_bytes} each expected, and {errors} errors"
        )
    spent = np.array([int(line.split()[2]) for line in times.read_text().splitlines()]) / 1e3
    middle, tail = np.percentile(spent, [50, 99])
    return Load(answers, answers / seconds, float(middle), float(tail))


def _run(command: list[str], seconds: int) -> str:
    pinned = ["taskset", "-c", str(CLIENT_CORE), *command]
    try:
        done = subprocess.run(pinned, capture_output=True, text=True, timeout=seconds + _MARGIN)
    except subprocess.TimeoutExpired as error:
        raise BrokenLoadError(f"{command[0]} did not end within {seconds + _MARGIN} s") from error
    return done.stdout + done.stderr
