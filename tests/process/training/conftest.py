"""One run that went well, shared by the tests that start where it ended."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.process.training import pods
from trimtab.api.wire.runs import Published


@dataclass
class Done:
    """A pod whose four steps ended well, and what publish said."""

    pod: pods.Pod
    published: Published


@pytest.fixture(scope="session")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and store that all tests share; tests that write data use names of their own."""
    folder = pods.claims(tmp_path_factory.mktemp("claims"))
    pods.rows().to_parquet(folder / "data" / "rows.parquet")
    return folder


@pytest.fixture(scope="session")
def done(claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Logistic regression, refitted, converted and published."""
    pod = pods.Pod(tmp_path_factory.mktemp("pods") / "done", claims).write(pods.run())
    ended = pod.steps("fetch", "train", "evaluate", "publish")
    assert ended.code == 0, ended.report.message
    assert ended.report.published is not None
    return Done(pod, ended.report.published)


@pytest.fixture
def pod(tmp_path: Path, claims: Path) -> pods.Pod:
    """A fresh pod."""
    return pods.Pod(tmp_path / "pod", claims)
