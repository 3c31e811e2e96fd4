"""A client of the simulator of LiveKit; for the contract also of a real server.

LIVEKIT_TEST_URL (with LIVEKIT_API_KEY and LIVEKIT_API_SECRET) names a server that is held against the client's part of
the contract. Without it a server of our own is started, where it is installed: then webhooks are part of it, too.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.people import people
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit, running_livekit
from voiceapp.simulators.livekit.tests.sides import (
    RealServer,
    Side,
    Simulator,
    SimulatorWithClients,
    simulator,
    started_server,
)
from voiceapp.tests.livekit_server import why_not_there

REAL_URL = os.environ.get("LIVEKIT_TEST_URL", "")
SIDES = ["simulator", pytest.param("real", marks=pytest.mark.livekit_server)]


@pytest.fixture
def livekit() -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        yield running


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    if reason := why_not_there():
        pytest.skip(reason)
    with started_server(tmp_path_factory.mktemp("livekit-server")) as server:
        yield server


@pytest.fixture
def plain_livekit() -> Iterator[Simulator]:
    with simulator() as side:
        yield side


@pytest.fixture
def livekit_with_clients(plain_livekit: Simulator) -> Iterator[Simulator]:
    with people(plain_livekit.url) as who:
        yield SimulatorWithClients(plain_livekit.livekit, plain_livekit.receiver, who)


@pytest.fixture(params=[*SIDES, "simulator with clients"])
def side(request: pytest.FixtureRequest) -> Side:
    """With people who join and webhooks that arrive."""
    fixture = {"real": "real_server", "simulator": "plain_livekit", "simulator with clients": "livekit_with_clients"}
    which: Side = request.getfixturevalue(fixture[request.param])
    return which


@pytest.fixture(params=SIDES)
def media_side(request: pytest.FixtureRequest) -> Side:
    """For tests whose participants are LiveKit's own clients anyway."""
    which: Side = request.getfixturevalue("real_server" if request.param == "real" else "plain_livekit")
    return which


@pytest.fixture(params=SIDES)
def either(request: pytest.FixtureRequest) -> LiveKitClient:
    """A client of the simulator or of a real server without Redis: the same must be true of both."""
    if request.param == "real" and REAL_URL:
        return LiveKitClient(
            url=REAL_URL, api_key=os.environ["LIVEKIT_API_KEY"], api_secret=os.environ["LIVEKIT_API_SECRET"]
        )
    which: Side = request.getfixturevalue("real_server" if request.param == "real" else "plain_livekit")
    return which.client


@pytest.fixture
def room(request: pytest.FixtureRequest) -> Iterator[str]:
    """An unused name; on a real server the room is deleted afterwards."""
    name = f"contract-{secrets.token_hex(8)}"
    yield name
    if "either" in request.fixturenames:
        either: LiveKitClient = request.getfixturevalue("either")
        either.delete_room(name)
