"""A client of the local LiveKit; and for the contract the same client of a real one, where one is named."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from voiceapp.providers.livekit import LiveKitClient
from voiceapp.tests.livekit.running import API_KEY, API_SECRET, RunningLiveKit, running_livekit

REAL_URL = os.environ.get("LIVEKIT_TEST_URL", "")
SIDES = ["local", pytest.param("real", marks=pytest.mark.skipif(not REAL_URL, reason="LIVEKIT_TEST_URL is not set"))]


@pytest.fixture
def livekit() -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        yield running


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)


@pytest.fixture(params=SIDES)
def either(request: pytest.FixtureRequest) -> LiveKitClient:
    """What holds of this client must hold of the local server and of a real one without Redis."""
    if request.param == "real":
        return LiveKitClient(
            url=REAL_URL, api_key=os.environ["LIVEKIT_API_KEY"], api_secret=os.environ["LIVEKIT_API_SECRET"]
        )
    # No worker and no Redis, as on a plain server.
    livekit = request.getfixturevalue("plain_livekit")
    return LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)


@pytest.fixture
def plain_livekit() -> Iterator[RunningLiveKit]:
    with running_livekit(faults=["redis_required"], agent_names=[]) as running:
        yield running


@pytest.fixture
def room(request: pytest.FixtureRequest) -> Iterator[str]:
    """A name that nobody has; on a real server the room is deleted afterwards."""
    name = f"contract-{secrets.token_hex(8)}"
    yield name
    if "either" in request.fixturenames:
        either: LiveKitClient = request.getfixturevalue("either")
        either.delete_room(name)
