"""Foreign clients and the servers that they ask, started once for all tests of this folder."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.process.serving.clients import models
from tests.process.serving.clients.agents import Agent, Client, agent
from tests.process.serving.server import Server, running

Agents = dict[str, Agent]
Servers = dict[str, Server]


@pytest.fixture(scope="package")
def agents() -> Iterator[Agents]:
    with ExitStack() as stack:
        yield {package: stack.enter_context(agent(package)) for package in ("triton", "kserve")}


@pytest.fixture(scope="package")
def servers(agents: Agents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Started while the agents import what they need. In the end none of them has said that anything went wrong."""
    made = {"late": models.classifier, "sum": models.adder}
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(running(make(tmp_path_factory.mktemp(name)), TRIMTAB_GRPC_PORT="0"))
            for name, make in made.items()
        }
        yield started
        lines = [line for server in started.values() for line in server.lines]
        assert [line for line in lines if "Traceback" in line or "Error" in line] == []


@pytest.fixture
def client(way: str, agents: Agents, servers: Servers) -> Client:
    """Asks the classifier of a column of every kind."""
    return Client(way, agents[way.split()[0]], servers["late"])


@pytest.fixture
def adder(way: str, agents: Agents, servers: Servers) -> Client:
    """Asks the regressor of a matrix."""
    return Client(way, agents[way.split()[0]], servers["sum"])
