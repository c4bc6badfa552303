"""A server of a real model with a profile and small limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.serving import make
from tests.unit.serving.asgi import Server
from trimtab.api.wire.serving import Limits
from trimtab.serving import loading


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    serving = make.folder(tmp_path, reference=make.profile(), limits=Limits(body_bytes=20_000, rows=150))
    made = Server(loading.load(serving, tmp_path))
    yield made
    made.inferences.close()
