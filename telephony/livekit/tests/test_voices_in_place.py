"""A call in a room that its agent records: both voices stand where the person there spoke and heard them, from the
first word to the last, an interruption included.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pytest_django import Settings

from agents.tests.builders import make_agent
from recordings.finishing.audio import read_audio, read_channel
from recordings.finishing.placing import start_by_agent
from recordings.models import Recording
from recordings.sources.room_agent import fetch
from sessions.rooms.services.calls import OpenedCall
from telephony.bridge.tests.alignment import shifts_apart_ms
from telephony.livekit.agent.tests.caller import RoomCaller, room_caller

from .floor import Floor, floor

__all__ = ["floor"]

pytestmark = [
    pytest.mark.sound, pytest.mark.waits, pytest.mark.embedded, pytest.mark.timeout(240),
    pytest.mark.django_db(transaction=True),
]  # fmt: skip

GREETING = (
    "Welcome to the harbour. We have small boats and large boats, red boats and blue boats, old boats and new boats."
)
QUESTION = "Excuse me, what are your opening hours?"
WITHIN_MS = 20
# Of each voice so many stretches of 0.4 s may sound otherwise: WebRTC stretches or shortens what it catches up with.
STRETCHED = 2
# No sentence is found so far from its place by chance.
NOWHERE_MS = 1_500


@pytest.mark.parametrize("floor", [pytest.param("real", marks=pytest.mark.livekit_server)], indirect=True)
def test_both_voices_stand_where_they_were_spoken_and_heard(floor: Floor, settings: Settings, tmp_path: Path) -> None:
    settings.RECORDINGS_DIR = str(tmp_path / "recordings")
    make_agent(floor.harbour, greeting=GREETING, room_recording="agent")
    with floor.worker(RECORDINGS_DIR=settings.RECORDINGS_DIR):
        opened = floor.call(is_recorded=True)
        caller = asyncio.run(_talk(floor, opened))
    recording, file = Recording.objects.get(), tmp_path / "call.ogg"
    fetch(recording, file)
    found = [b"".join(read_channel(file, channel=channel)) for channel in (0, 1)]
    shifts = shifts_apart_ms(found, caller.lanes(), may_miss=STRETCHED)
    assert min(map(len, shifts)) >= 5
    assert max(abs(each) for of_lane in shifts for each in of_lane) <= WITHIN_MS, shifts
    lines = opened.call.lines.filter(speaker="agent")
    assert lines.filter(is_cut=True).exists()
    # What the agent said stands where the transcript has it.
    said, begins_ms = list(lines.values_list("spoken_at_ms", flat=True)), recording.starts_at_ms
    found_ms = start_by_agent(read_audio(file), said, near_ms=begins_ms - NOWHERE_MS)
    assert found_ms == pytest.approx(begins_ms, abs=WITHIN_MS)


async def _talk(floor: Floor, opened: OpenedCall) -> RoomCaller:
    async with room_caller(floor.environment["LIVEKIT_HOST"], opened.ticket.token) as caller:
        await caller.interrupts(QUESTION, after_s=2.0)
        await caller.tells("What are your opening hours?")
    return caller
