"""A client of the simulator of LiveKit."""

from voiceapp.simulators.livekit.tests.conftest import client, livekit, room

__all__ = ["client", "livekit", "room"]
