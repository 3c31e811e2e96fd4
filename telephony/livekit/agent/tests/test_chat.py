"""What people write on `lk.chat` reaches the agent as text, bounded in size and rate; the same on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from livekit import api

from telephony.livekit.agent import chat
from telephony.livekit.agent.chat import LONGEST, MOST_PER_MINUTE, TOO_LONG, TOO_MANY, TOPIC, Chat
from voiceapp.simulators.livekit.tests.conftest import media_side, plain_livekit, real_server, room
from voiceapp.simulators.livekit.tests.media import Participant, join_token, participant, until
from voiceapp.simulators.livekit.tests.sides import Side
from voiceapp.simulators.livekit.tests.test_data import next_of, texts

__all__ = ["media_side", "plain_livekit", "real_server", "room"]

pytestmark = pytest.mark.asyncio

ALICE, BOB, AGENT = "caller-alice", "callee-bob", "ai-agent-7"


@dataclass(frozen=True, slots=True)
class Chatting:
    """`got`: what the agent was told; `answers`: what Alice reads on the same topic."""

    alice: Participant
    bob: Participant
    got: list[str]
    answers: asyncio.Queue[tuple[str, str, dict[str, str]]]

    async def has_got(self, count: int) -> None:
        await until(lambda: len(self.got) == count)

    async def write(self, text: str, **attributes: str) -> None:
        await self.alice.room.local_participant.send_text(text, topic=TOPIC, attributes=attributes)


@contextlib.asynccontextmanager
async def chatting(side: Side, room: str) -> AsyncIterator[Chatting]:
    token = api.AccessToken(side.api_key, side.api_secret).with_identity(AGENT).with_kind("agent")
    token = token.with_grants(api.VideoGrants(room_join=True, room=room, agent=True))
    async with (
        participant(side, token.to_jwt()) as agent,
        participant(side, join_token(side, room, ALICE)) as alice,
        participant(side, join_token(side, room, BOB)) as bob,
    ):
        await until(lambda: all(len(each.room.remote_participants) == 2 for each in (agent, alice, bob)))
        got: list[str] = []
        listening = Chat(agent.room, got.append)
        listening.listen_to(ALICE)
        yield Chatting(alice, bob, got, texts(alice, TOPIC))
        listening.close()


async def test_what_the_caller_writes_arrives_as_text_and_garbage_does_not(media_side: Side, room: str) -> None:
    async with chatting(media_side, room) as those:
        person = those.alice.room.local_participant
        await person.send_bytes(b"\xff\xfe\x00" * 10_000, name="<script>", topic=TOPIC)
        await person.publish_data(b"\xff\xfe", topic=TOPIC)
        await those.write(" \n\u200b")
        await those.bob.room.local_participant.send_text("From somebody else.", topic=TOPIC)
        await those.write("Two <b>funghi</b>,\u202e please.\x07\n", wrong="x" * 500)
        await until(lambda: those.got)
        assert those.got == ["Two <b>funghi</b>, please."]


async def test_a_message_that_is_too_long_is_refused_and_the_caller_is_told(media_side: Side, room: str) -> None:
    async with chatting(media_side, room) as those:
        await those.write("a" * (50 * LONGEST))
        assert (await next_of(those.answers))[:2] == (AGENT, TOO_LONG)
        await those.write("b" * LONGEST)
        await until(lambda: those.got)
        assert those.got == ["b" * LONGEST]


async def test_too_many_messages_are_refused_and_the_caller_is_told(media_side: Side, room: str) -> None:
    async with chatting(media_side, room) as those:
        for number in range(MOST_PER_MINUTE):
            await those.write(str(number))
            await those.has_got(number + 1)
        await those.write("One more.")
        assert (await next_of(those.answers))[1] == TOO_MANY
        assert those.got == [str(number) for number in range(MOST_PER_MINUTE)]


async def test_a_message_that_does_not_end_is_not_waited_for(
    media_side: Side, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "WITHIN_S", 0.3)
    async with chatting(media_side, room) as those:
        for _ in range(chat.MOST_AT_ONCE):
            writer = await those.alice.room.local_participant.stream_text(topic=TOPIC)
            await writer.write("I would like")
        await those.write("One more at once.")
        assert (await next_of(those.answers))[1] == TOO_MANY
        await asyncio.sleep(0.4)  # longer than a message may take: there is no event for it
        await those.write("Hello?")
        await until(lambda: those.got)
        assert those.got == ["Hello?"]
