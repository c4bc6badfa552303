"""What the operator reads: every answered row once, consistent, cumulative."""

from pathlib import Path

import numpy as np

from tests.unit.model import make as models
from tests.unit.serving import make
from tests.unit.serving.asgi import Server, error
from trimtab.api.wire.serving import Monitoring
from trimtab.drift import counting
from trimtab.serving import loading


def test_snapshot_counts_every_answered_row_once_in_every_feature(server: Server) -> None:
    server.infer(make.request(3))
    server.infer_together([make.request(n) for n in (1, 2, 150, 0)])
    server.infer({"inputs": []})
    snapshot = server.snapshot()
    assert snapshot.rows == 156
    assert {name: counting.rows(each) for name, each in snapshot.features.items()} == dict.fromkeys(models.COLUMNS, 156)
    assert snapshot.predictions is not None
    assert snapshot.score is not None
    assert counting.rows(snapshot.predictions) == counting.rows(snapshot.score) == 156
    assert (snapshot.requests.ok, snapshot.requests.client_error, snapshot.requests.server_error) == (5, 1, 0)
    assert sum(snapshot.latency.counts) == 6
    assert len(snapshot.latency.counts) == len(snapshot.latency.edges) + 1
    assert snapshot.profile_digest == make.digest(server.monitor("/monitoring/v1/profile").content)
    assert (snapshot.pod, snapshot.model, snapshot.version, snapshot.seq) == ("pod-uid", "late", "7", 1)


def test_snapshots_are_cumulative_and_numbered(server: Server) -> None:
    server.infer(make.request(3))
    first = server.snapshot()
    server.infer(make.request(4))
    second = server.snapshot()
    assert (first.seq, second.seq, first.rows, second.rows) == (1, 2, 3, 7)
    assert (first.boot, first.started_at) == (second.boot, second.started_at)


def test_missing_and_unseen_values_are_counted_as_what_they_are(server: Server) -> None:
    request = make.request(2)
    request["inputs"][2]["data"] = ["ZZ", None]
    request["inputs"][0]["data"] = [1e6, -1e6]
    assert server.infer(request).status_code == 200
    features = server.snapshot().features
    assert (features["carrier"].unseen, features["carrier"].missing) == (1, 1)
    assert (features["air time"].above, features["air time"].below) == (1, 1)


def test_counts_are_those_of_the_answers(server: Server) -> None:
    answer = server.infer(make.request(50)).json()
    snapshot = server.snapshot()
    assert server.served.profile is not None
    predictions, score = server.served.profile.predictions, server.served.profile.score
    assert predictions is not None
    assert score is not None
    labels, probabilities = (np.array(output["data"]) for output in answer["outputs"])
    assert snapshot.predictions == counting.count(predictions, labels.astype(object))
    assert snapshot.score == counting.count(score, probabilities.reshape(-1, 2)[:, 1])


def test_excluded_features_are_not_counted(tmp_path: Path) -> None:
    monitored = Monitoring(exclude=("carrier", "no such column"))
    serving = make.folder(tmp_path, reference=make.profile(), monitoring=monitored)
    made = Server(loading.load(serving, tmp_path))
    made.infer(make.request(3))
    assert sorted(made.snapshot().features) == ["air time", "dist."]


def test_artifact_without_a_profile_counts_rows_and_requests_only(tmp_path: Path) -> None:
    made = Server(loading.load(make.folder(tmp_path), tmp_path))
    made.infer(make.request(3))
    snapshot = made.snapshot()
    assert (snapshot.rows, snapshot.requests.ok, snapshot.features) == (3, 1, {})
    assert snapshot.profile_digest is None
    response = made.monitor("/monitoring/v1/profile")
    assert response.status_code == 404
    assert error(response) == "the artifact carries no reference profile"


def test_profile_is_given_as_the_very_bytes_of_the_artifact(server: Server) -> None:
    assert server.monitor("/monitoring/v1/profile").content == server.served.profile_bytes


def test_internal_application_has_no_other_page_and_the_public_one_no_counts(server: Server) -> None:
    assert server.monitor("/v2").status_code == 404
    assert server.ask("GET", "/monitoring/v1/snapshot").status_code == 404
