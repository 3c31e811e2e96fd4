"""The people of the room agents' tests, and the local LiveKit."""

from __future__ import annotations

import pytest

from sessions.tests.room_agents.conftest import (
    alice,
    bob,
    charlie,
    clerk,
    client,
    harbour,
    livekit,
    meadow,
    mia,
    nobody,
    website,
)
from voiceapp.tests.livekit.running import RunningLiveKit

__all__ = ["alice", "bob", "charlie", "clerk", "client", "harbour", "livekit", "meadow", "mia", "nobody", "website"]


@pytest.fixture(autouse=True)
def open_house(livekit: RunningLiveKit) -> None:
    """LiveKit is there for every test."""
