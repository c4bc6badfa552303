"""What a user can get wrong, all applied at once: each gets its own words, and everything else goes on."""

import io

import numpy as np
import pandas as pd
import pytest

from tests.cluster.kubectl import eventually
from tests.e2e.shop import Json, Space, dataset, model, obj

SECONDS = 300


def frame(rows: int = 1200) -> pd.DataFrame:
    """A small data set with something to learn, a time and a target."""
    random = np.random.default_rng(0)
    x = random.normal(size=rows)
    times = pd.date_range("2026-01-01", periods=rows, freq="h", tz="UTC")
    return pd.DataFrame({"time_hour": times, "x": x, "y": random.normal(size=rows), "late": x + random.normal(size=rows) > 0})


def csv(table: pd.DataFrame) -> bytes:
    text = io.StringIO()
    table.to_csv(text, index=False)
    return text.getvalue().encode()


def container(image: str, script: str) -> Json:
    return {"container": {"image": image, "command": ["python", "-c", script]}}


@pytest.fixture(scope="module")
def crowd(shared_space: Space, operator: dict[str, str]) -> Space:
    """Every mistake at once, with one sound model among them."""
    space, image = shared_space, operator["trainer"]
    place = space.bucket.place
    good = space.put("good.csv", csv(frame()))
    store = place(f"{space.unique}/models")
    broken = csv(frame(400)) + b"2026-03-01 00:00:00+00:00,1,2,True,5,6\n"
    unknown_secret = {**good, "credentials": {"secretRef": {"name": "nobody"}}}
    space.apply(
        dataset("good", good),
        dataset("broken", space.put("broken.csv", broken)),
        dataset("empty", place(f"{space.unique}/nothing/here.csv")),
        dataset("unreachable", {**good, "endpoint": "http://10.244.0.1:7999"}),
        dataset("no-secret", unknown_secret),
        dataset("no-claim", {"uri": "pvc://nobody/file.csv"}),
        dataset("no-target", good, targetColumn="absent"),
        dataset("expects", good, expect={"columns": [{"name": "x", "type": "Number", "min": -0.5, "maxMissing": "0%"}]}),
        model("sound", store, "good"),
        model("absent", store, "not-there"),
        model("on-broken", store, "broken"),
        model("on-expects", store, "expects"),
        model("estimator", store, "good", training={"estimator": {"name": "LogisticRegresion"}}),
        model("parameter", store, "good", training={"estimator": {"name": "LogisticRegression", "params": {"depth": 3}}}),
        model("metric", store, "good", gates=[{"name": "g", "type": "Bound", "bound": {"metric": "rocauc", "atLeast": 0.5}}]),
        model("exits", store, "good", training=container(image, "print('about to fail'); raise SystemExit(1)")),
        model("nothing", store, "good", training=container(image, "print('wrote nothing')")),
        model("image", store, "good", training=container("localhost/no-such-image:1", "pass")),
        model(
            "memory",
            store,
            "good",
            training={**container(image, "x = bytearray(2 << 30)"), "resources": {"limits": {"memory": "768Mi"}}},
        ),
    )
    return space


def run_of(space: Space, name: str) -> Json:
    """The newest run of a Model, or nothing yet."""
    runs = [run for run in space.kubectl.get("tjob")["items"] if run["spec"]["modelRef"]["name"] == name]
    return max(runs, key=lambda run: str(run["metadata"]["creationTimestamp"]), default={})


def failure(space: Space, name: str) -> Json:
    eventually(lambda: run_of(space, name).get("status", {}).get("stage") == "Failed", within=SECONDS)
    return run_of(space, name)["status"]["failure"]


def says(space: Space, name: str, kind: str, status: str, reason: str, *words: str) -> None:
    eventually(lambda: space.is_so(name, kind, status, reason), within=SECONDS)
    found = space.condition(name, kind)
    assert found is not None
    for word in words:
        assert word in found[2]


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("broken", "DataUnreadable", ["broken.csv", "402"]),
        ("empty", "DataUnreadable", ["here.csv"]),
        ("unreachable", "DataUnreadable", ["10.244.0.1:7999"]),
        ("no-target", "DataUnreadable", ["absent"]),
        ("no-secret", "ChildNotStarting", ['secret "nobody" not found']),
        ("no-claim", "ChildNotStarting", ['persistentvolumeclaim "nobody" not found']),
    ],
)
def test_data_that_cannot_be_read_are_told_on_the_dataset(crowd: Space, name: str, reason: str, words: list[str]) -> None:
    says(crowd, f"dset/{name}", "Stalled", "True", reason, *words)


def test_a_broken_expectation_names_column_rule_rows_and_share_and_blocks_training(crowd: Space) -> None:
    says(crowd, "dset/expects", "Validated", "False", "ExpectationsFailed", "x")
    found = crowd.status("dset/expects")["failures"][0]
    assert (found["column"], found["rule"]) == ("x", "min")
    assert found["rows"] == int((frame()["x"] < -0.5).sum())
    assert found["share"].endswith("%")
    eventually(lambda: crowd.status("mdl/on-expects").get("suppressed", {}).get("reason") == "DataQualityBlocked", within=60)
    assert run_of(crowd, "on-expects") == {}


def test_a_dataset_that_does_not_exist_yet_is_waited_for(crowd: Space) -> None:
    says(crowd, "mdl/absent", "Ready", "False", "DatasetNotFound", "not-there")


@pytest.mark.parametrize(
    ("name", "stage", "reason", "words"),
    [
        ("estimator", "Training", "EstimatorUnknown", ["LogisticRegresion", "LogisticRegression"]),
        ("parameter", "Training", "ParameterUnknown", ["depth", "max_iter"]),
        ("metric", None, "MetricUnknown", ["rocauc", "roc_auc"]),
        ("exits", "Training", "TrainingFailed", []),
        ("nothing", "Evaluating", "NoModelWritten", ["model.onnx"]),
        ("memory", "Training", "OutOfMemory", ["raise training.resources.limits.memory"]),
    ],
)
def test_a_run_that_cannot_succeed_says_why(
    crowd: Space, name: str, stage: str | None, reason: str, words: list[str]
) -> None:
    found = failure(crowd, name)
    assert found["reason"] == reason
    assert stage in (None, found["stage"])
    for word in words:
        assert word in found["message"]
    assert crowd.is_so(f"mdl/{name}", "Trained", "False", "RunFailed")


def test_the_last_words_of_a_users_container_reach_the_object(crowd: Space) -> None:
    assert "about to fail" in failure(crowd, "exits")["logTail"]


def test_an_image_that_cannot_be_pulled_is_told_within_a_minute(crowd: Space) -> None:
    eventually(lambda: run_of(crowd, "image") != {}, within=SECONDS)
    name = run_of(crowd, "image")["metadata"]["name"]
    says(crowd, f"tjob/{name}", "Stalled", "True", "ChildNotStarting", "localhost/no-such-image:1")


def test_every_other_model_goes_on(crowd: Space) -> None:
    eventually(lambda: crowd.status("mdl/sound").get("champion", {}).get("version") == 1, within=SECONDS)


def test_a_quota_that_forbids_the_pod_is_told(space: Space) -> None:
    space.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    )
    eventually(lambda: "pods" in space.status("resourcequota/none").get("hard", {}), within=30)
    space.apply(
        dataset("good", space.put("good.csv", csv(frame(300)))),
        obj("ModelDeployment", "served", artifact=space.artifact(b"whatever")),
    )
    says(space, "dset/good", "Stalled", "True", "ChildNotStarting", "pod")
    says(space, "mdep/served", "Stalled", "True", "ChildRefused", "exceeded quota: none")
