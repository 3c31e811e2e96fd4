"""The people of the room agents' tests, and the local LiveKit."""

from __future__ import annotations

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

__all__ = ["alice", "bob", "charlie", "clerk", "client", "harbour", "livekit", "meadow", "mia", "nobody", "website"]
