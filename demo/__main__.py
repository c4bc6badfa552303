"""`make demo`: the whole story on a year of real flights, live. Ends by leaving everything up.

January trains a model; February and March are asked of it; from April the weather is another; June's data replace
January's, and the model that learns from them takes over without one failed request.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from demo import flights, install, objects, prometheus, screen
from demo.down import NAMESPACE
from demo.surroundings import DemoError, Surroundings, wait
from demo.traffic import Endpoint, Replay, scores
from demo.watching import Verdicts

WINDOW = 10
"""Seconds of a base window."""
WINDOWS = 4
"""Windows of each month."""
RATE = 150.0
"""Rows a second: 1,500 a window."""
MONTHS = ("2013-01", "2013-02", "2013-03", "2013-04", "2013-05", "2013-06")
DATA = objects.FOLDER / "data"


def main() -> int:
    """Returns the exit code."""
    try:
        _story()
    except (DemoError, install.InstallError, ConnectionError) as error:
        screen.console.print(f"[red]the demo stops:[/] {error}")
        return 1
    except KeyboardInterrupt:
        screen.say("interrupted; what is up stays up: make demo-down ends it")
        return 130
    return 0


def _story() -> None:
    where = Surroundings()
    months = _prepare(where)
    _train(where)
    with where.endpoint() as address, Replay(_endpoint(address("late-flights"), "late-flights"), RATE) as replay:
        verdicts = Verdicts(where, "late-flights")
        _months(where, replay, verdicts, months)
        _unchanged(where)
        prometheus.alert(where)
        _retrain(where, replay, months)
        replay.play(None)
        _compare(where, address, months)
        _end(where, address, replay)


# ---------------------------------------------------------------- before the story


def _prepare(where: Surroundings) -> dict[str, Path]:
    """Cluster, images, operator, data."""
    first = "The first time, the cluster's binaries are built: ten to twenty minutes."
    screen.step("A cluster, three images, the operator", first if where.local else "The cluster is your own.")
    if where.local:
        install.cluster("up")
    built = where.images()
    install.install(built, where.kubectl)
    screen.good("the operator is up")
    screen.try_it(f"{where.says} --namespace trimtab-system get pods", f"{where.says} api-resources --categories=mlops")
    prometheus.start(where)
    with screen.under_way("joining flights with weather"):
        months = flights.build(DATA)
    _clean(where)
    where.apply(objects.write("claims", *objects.claims()))
    where.apply(objects.write("loader", objects.loader(built["trainer"])))
    where.do("wait", "--for=condition=Ready", "pod/loader", "--timeout=120s")
    where.copy(months["2013-01"])
    where.copy(months["2013-06"])
    screen.good(f"{sum(len(pd.read_parquet(path, columns=['late'])) for path in months.values()):,} flights of 2013, by month")
    return months


def _clean(where: Surroundings) -> None:
    """What an earlier demo left would tell the end of the story first."""
    with screen.under_way("removing what an earlier demo left"):
        where.do("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=180s")


def _train(where: Surroundings) -> None:
    """Three objects, applied at once; the rest follows from them."""
    screen.step("Three objects in YAML: Dataset, Model, ModelDeployment")
    path = objects.write("flights", objects.dataset("2013-01"), objects.model(), objects.deployment(WINDOW))
    where.apply(path)
    screen.try_it(f"cat {path.relative_to(install.ROOT)}", f"{where.says} --namespace {NAMESPACE} get mlops --watch")
    with screen.under_way("looking at the data") as status:
        _until(lambda: _serves(where, 1), 420, status, lambda: _training(where), "version 1 serves")
    version = where.get("mdlv/late-flights-1")["spec"]
    metrics = ", ".join(f"{m['name']} {m['value']:.3f}" for m in version["metrics"] if "value" in m)
    screen.good(f"version 1 was trained on January, passed its gate ({metrics}), and serves from two pods")
    screen.try_it(f"{where.says} --namespace {NAMESPACE} describe mdlv/late-flights-1")


def _training(where: Surroundings) -> str:
    """One line on how far the run is."""
    runs = where.get("tjob").get("items", [])
    if not runs:
        return "looking at the data: a short Job counts rows and checks expectations"
    newest = max(runs, key=lambda run: str(run["metadata"]["creationTimestamp"]))
    stage = newest.get("status", {}).get("stage", "Pending")
    return f"TrainingJob {newest['metadata']['name']}: {stage}"


def _serves(where: Surroundings, number: int) -> bool:
    versions = where.get("mdep/late-flights").get("status", {}).get("versions", [])
    return [(v.get("version"), v["role"]) for v in versions] == [(number, "Stable")] and _ready(where)


def _ready(where: Surroundings) -> bool:
    conditions = where.get("mdep/late-flights")["status"]["conditions"]
    return any(entry["type"] == "Available" and entry["status"] == "True" for entry in conditions)


def _until(check: Callable[[], bool], within: float, status: object, text: Callable[[], str], what: str) -> None:
    def look() -> bool:
        status.update(text())  # type: ignore[attr-defined]
        return check()

    wait(look, within, what)


def _endpoint(base: str, model: str) -> Endpoint:
    endpoint = Endpoint(base, model)

    def answers() -> bool:
        try:
            endpoint.metadata()
        except OSError:
            endpoint.close()
            return False
        return True

    wait(answers, 60, f"{model} answers")
    return endpoint


# ---------------------------------------------------------------- the months


def _months(where: Surroundings, replay: Replay, verdicts: Verdicts, months: dict[str, Path]) -> None:
    """January is the control; then the year goes on."""
    screen.step(
        "The year goes on",
        f"Real flights over HTTP, shuffled within each month, {RATE * WINDOW:.0f} a window of {WINDOW} s. "
        "The months are labels of the data; no clock is faked.",
    )
    screen.try_it(f"{where.says} --namespace {NAMESPACE} get mdep late-flights --watch")
    for number, month in enumerate(MONTHS):
        _to_next_window()
        replay.play(months[month], seed=number)
        with screen.under_way(f"{month}: replaying") as status:
            seen = verdicts.follow(WINDOWS * WINDOW, WINDOW, status, month)
        replay.play(None)
        screen.say(verdicts.line(month, seen))
    verdicts.picture()
    if replay.failures:
        raise DemoError(f"{len(replay.failures)} requests failed; the first: {replay.failures[0]}")
    screen.good(f"{replay.sent:,} rows asked, no request failed")


def _to_next_window() -> None:
    """A month begins with a window, so that no window holds two months; the pause lets the last poll be taken."""
    time.sleep(WINDOW - time.time() % WINDOW + 0.2)


def _unchanged(where: Surroundings) -> None:
    screen.step("The Model would retrain, had its data changed")
    suppressed = wait(
        lambda: (s := where.get("mdl/late-flights").get("status", {}).get("suppressed")) and s["reason"] == "DataUnchanged" and s,
        120,
        "the Model says DataUnchanged",
    )
    screen.good(f"{suppressed['reason']}: {suppressed['message']}")
    screen.try_it(f"{where.says} --namespace {NAMESPACE} describe mdl/late-flights")


def _retrain(where: Surroundings, replay: Replay, months: dict[str, Path]) -> None:
    screen.step("June's file takes January's place", "One field of the Dataset changes: spec.source.uri. Traffic goes on.")
    failed = len(replay.failures)
    replay.play(months["2013-06"], seed=99)
    path = objects.write("june", objects.dataset("2013-06"))
    where.apply(path)
    screen.try_it(f"{where.says} --namespace {NAMESPACE} get tjob,mdlv,mdep --watch")
    with screen.under_way("the Dataset is looked at") as status:
        _until(lambda: _serves(where, 2), 420, status, lambda: _training(where), "version 2 serves")
    time.sleep(2 * WINDOW)
    if len(replay.failures) > failed:
        raise DemoError(f"requests failed while the new version rolled out; the first: {replay.failures[failed]}")
    screen.good("version 2 took over; not one request failed on the way")


# ---------------------------------------------------------------- the end


def _compare(where: Surroundings, address: Callable[[str], str], months: dict[str, Path]) -> None:
    """Both versions on the same flights of July, which neither has seen."""
    screen.step("Was it worth it? Both versions on the same July flights")
    where.apply(objects.write("pinned", objects.pinned(1)))
    wait(lambda: where.get("service/late-flights-v1"), 60, "the Service of version 1")
    july = pd.read_parquet(months["2013-07"]).dropna(subset=["late"]).sample(8000, random_state=7)
    truth = july["late"].astype(bool).to_numpy()
    rows = []
    for name, month in (("late-flights-v1", "January"), ("late-flights", "June")):
        with screen.under_way(f"asking {name}"):
            asked = scores(_endpoint(address(name), name), july)
        rows.append([name, month, f"{roc_auc_score(truth, np.array(asked)):.3f}"])
    screen.table("8,000 flights of July", ["deployment", "trained on", "AUC"], rows)


def _end(where: Surroundings, address: Callable[[str], str], replay: Replay) -> None:
    screen.step("Everything stays up")
    base = address("late-flights") if where.local else f"http://late-flights.{NAMESPACE}.svc"
    screen.say(f"model:      {base}/v2/models/late-flights")
    for line in prometheus.addresses(where):
        screen.say(line)
    screen.try_it(
        f"{where.says} --namespace {NAMESPACE} get mlops",
        f"{where.says} --namespace {NAMESPACE} get events --sort-by=.lastTimestamp",
        "make demo-down",
    )


if __name__ == "__main__":
    sys.exit(main())
