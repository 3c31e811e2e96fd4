"""A person talks with the agent of a real worker, in a room of the simulated and of a real LiveKit: they interrupt it,
type, and send it what no client sends.
"""

from __future__ import annotations

import asyncio
import secrets

import pytest
from livekit import rtc

from agents.tests.builders import make_agent
from sessions.rooms.services.calls import OpenedCall
from telephony.livekit.agent.chat import LONGEST, TOO_LONG
from telephony.livekit.agent.tests.caller import RoomCaller, room_caller

from .floor import Floor, floor

__all__ = ["floor"]

pytestmark = [
    pytest.mark.sound, pytest.mark.waits, pytest.mark.embedded, pytest.mark.timeout(240),
    pytest.mark.django_db(transaction=True),
]  # fmt: skip

TYPED = "Do you have <b>red</b> boats?"
# From the first sound of the interruption to the last of the agent, as the caller sends and hears them. What the model
# takes to notice speech is in it.
STOPS_WITHIN_S = 0.3
GREETING = (
    "Welcome to the harbour. We have small boats and large boats, red boats and blue boats, old boats and new boats, "
    "and on Sundays there is music on the pier until late in the evening."
)


def test_a_caller_interrupts_the_agent_and_types(floor: Floor) -> None:
    make_agent(floor.harbour, greeting=GREETING)
    with floor.worker():
        opened = floor.call()
        stops_after_s = asyncio.run(_talk(floor, opened))
        typed = opened.call.lines.filter(text=TYPED)
        floor.until(lambda: opened.call.lines.filter(speaker="agent", turn__in=typed.values("turn")).exists())
    assert stops_after_s <= STOPS_WITHIN_S
    lines = list(opened.call.lines.all())
    assert (lines[0].speaker, lines[0].is_cut) == ("agent", True)
    assert [(line.speaker, line.text) for line in lines if "boats?" in line.text] == [("caller", TYPED)]


def test_who_speaks_while_the_agent_joins_is_answered(floor: Floor) -> None:
    """What the agent was about to say is interrupted before anybody could hear it."""
    floor.injects("track_late")
    make_agent(floor.harbour, greeting=GREETING)
    with floor.worker():
        opened = floor.call()
        asyncio.run(_speak_at_once(floor, opened))
        floor.until(lambda: opened.call.lines.filter(speaker="agent").exists())


async def _speak_at_once(floor: Floor, opened: OpenedCall) -> None:
    async with room_caller(floor.environment["LIVEKIT_HOST"], opened.ticket.token) as caller:
        await caller.tells("Hello, what are your opening hours?")
        assert caller.said_by("agent")


async def _talk(floor: Floor, opened: OpenedCall) -> float:
    """How long after the caller's first sound the agent was heard."""
    async with room_caller(floor.environment["LIVEKIT_HOST"], opened.ticket.token) as caller:
        stops_after_s = await caller.interrupts("Excuse me, what are your opening hours?")
        await _send_garbage(caller)
        captions = len(caller.captions)
        await caller.types(TYPED)
        assert len(caller.captions) > captions
        assert caller.chat == [TOO_LONG]
    return stops_after_s


async def _send_garbage(caller: RoomCaller) -> None:
    """None of it is a turn; what is too long is answered."""
    person = caller.room.local_participant
    wrong = {"lk.segment_id": "x" * 500, "lk.transcription_final": "perhaps", "lk.transcribed_track_id": "\u202e"}
    for topic in ("lk.chat", "lk.transcription"):
        await person.send_text(" \n\u200b", topic=topic, attributes=wrong)
        await person.publish_data(b"\xff\xfe\x00", topic=topic)
        await person.send_bytes(secrets.token_bytes(30_000), name="<script>", topic=topic)
    await person.send_text("a" * (20 * LONGEST), topic="lk.chat")
    await person.send_bytes(secrets.token_bytes(1_000), name="x", topic="lk.agent.session")
    with pytest.raises(rtc.RpcError):
        await person.perform_rpc(destination_identity=caller.agents[0], method="end_call", payload="{}")
    async with asyncio.timeout(10):
        while not caller.chat:
            await asyncio.sleep(0.02)
