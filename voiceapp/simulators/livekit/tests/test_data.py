"""Data between participants: packets, text streams, RPC, attributes and metadata; the same on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import api, rtc

from voiceapp.simulators.livekit.tests.media import Participant, join_token, participant, until
from voiceapp.simulators.livekit.tests.sides import Side

pytestmark = pytest.mark.asyncio

ALICE, BOB, CHARLIE, AGENT = "caller-alice", "callee-bob", "guest-charlie", "ai-agent-7"
WITHIN_S = 5


@contextlib.asynccontextmanager
async def together(side: Side, room: str, *identities: str, **grants: Any) -> AsyncIterator[list[Participant]]:
    """They are in the room and know of each other."""
    async with contextlib.AsyncExitStack() as stack:
        those = [
            await stack.enter_async_context(participant(side, join_token(side, room, each, **grants)))
            for each in identities
        ]
        await until(lambda: all(len(each.room.remote_participants) == len(those) - 1 for each in those))
        yield those


def received(one: Participant, event: str) -> asyncio.Queue[Any]:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    one.room.on(event, lambda *what: queue.put_nowait(what if len(what) > 1 else what[0]))  # type: ignore[arg-type]  # one of many names
    return queue


def texts(one: Participant, topic: str) -> asyncio.Queue[tuple[str, str, dict[str, str]]]:
    """Sender, text and attributes of each text stream."""
    queue: asyncio.Queue[tuple[str, str, dict[str, str]]] = asyncio.Queue()
    tasks: set[asyncio.Task[None]] = set()

    async def read(reader: rtc.TextStreamReader, sender: str) -> None:
        queue.put_nowait((sender, await reader.read_all(), dict(reader.info.attributes or {})))

    def handle(reader: rtc.TextStreamReader, sender: str) -> None:
        tasks.add(asyncio.create_task(read(reader, sender)))

    one.room.register_text_stream_handler(topic, handle)
    return queue


async def next_of(queue: asyncio.Queue[Any]) -> Any:
    return await asyncio.wait_for(queue.get(), WITHIN_S)


async def test_text_streams_arrive_with_their_attributes(media_side: Side, room: str) -> None:
    async with together(media_side, room, ALICE, BOB) as (alice, bob):
        transcripts = texts(bob, "lk.transcription")
        attributes = {"lk.segment_id": "SG_1", "lk.transcription_final": "true"}
        long = "A large pizza, please. " * 2_000
        await alice.room.local_participant.send_text(long, topic="lk.transcription", attributes=attributes)
        assert await next_of(transcripts) == (ALICE, long, attributes)


async def test_packets_go_to_those_who_are_named_or_to_all_and_their_sender_is_who_sent_them(
    media_side: Side, room: str
) -> None:
    async with together(media_side, room, ALICE, BOB, CHARLIE) as (alice, bob, charlie):
        to_bob, to_charlie = (received(each, "data_received") for each in (bob, charlie))
        await alice.room.local_participant.publish_data(b"to bob", destination_identities=[BOB], topic="t")
        packet = await next_of(to_bob)
        assert (packet.data, packet.topic, packet.participant.identity) == (b"to bob", "t", ALICE)
        async with asyncio.timeout(WITHIN_S):
            while to_bob.empty() or to_charlie.empty():  # a packet of this kind may be lost
                await alice.room.local_participant.publish_data(b"to all", reliable=False)
                await asyncio.sleep(0.1)
        assert [(await next_of(each)).data for each in (to_bob, to_charlie)] == [b"to all", b"to all"]


async def test_a_procedure_is_called_and_its_error_comes_back(media_side: Side, room: str) -> None:
    async with together(media_side, room, ALICE, BOB) as (alice, bob):

        async def greet(call: rtc.RpcInvocationData) -> str:
            if call.payload == "nobody":
                raise rtc.RpcError(1501, "there is nobody")
            return f"hello {call.payload}, said {call.caller_identity}"

        bob.room.local_participant.register_rpc_method("greet", greet)
        call = alice.room.local_participant.perform_rpc
        assert await call(destination_identity=BOB, method="greet", payload="dear") == f"hello dear, said {ALICE}"
        with pytest.raises(rtc.RpcError, match="there is nobody"):
            await call(destination_identity=BOB, method="greet", payload="nobody")


async def test_attributes_and_metadata_reach_the_others_and_the_server(media_side: Side, room: str) -> None:
    async with together(media_side, room, ALICE, BOB) as (alice, bob):
        changes = received(bob, "participant_attributes_changed")
        await alice.room.local_participant.set_attributes({"lk.agent.state": "listening", "gone": "soon"})
        changed, who = await next_of(changes)
        assert (changed["lk.agent.state"], who.identity) == ("listening", ALICE)
        await alice.room.local_participant.set_attributes({"gone": ""})
        await until(lambda: "gone" not in bob.room.remote_participants[ALICE].attributes)
        await alice.room.local_participant.set_metadata("m")
        await alice.room.local_participant.set_name("Alice")
        await until(lambda: bob.room.remote_participants[ALICE].name == "Alice")
        assert bob.room.remote_participants[ALICE].metadata == "m"
        there = {each.identity: each for each in await asyncio.to_thread(media_side.client.list_participants, room)}
        assert (there[ALICE].name, dict(there[ALICE].attributes)) == ("Alice", {"lk.agent.state": "listening"})


async def test_without_the_grants_nothing_is_changed_or_sent(media_side: Side, room: str) -> None:
    grants = api.VideoGrants(room_join=True, room=room, can_publish_data=False, can_update_own_metadata=False)
    token = api.AccessToken(media_side.api_key, media_side.api_secret).with_identity(ALICE).with_grants(grants).to_jwt()
    async with together(media_side, room, BOB) as (bob,), participant(media_side, token) as alice:
        packets, written = received(bob, "data_received"), texts(bob, "lk.chat")
        await alice.room.local_participant.set_attributes({"lk.agent.state": "listening"})
        await alice.room.local_participant.publish_data(b"from alice")
        await alice.room.local_participant.send_text("From Alice.", topic="lk.chat")
        await asyncio.sleep(0.3)  # nothing arrives: there is nothing to wait for
        assert packets.empty()
        assert written.empty()
        there = {each.identity: each for each in await asyncio.to_thread(media_side.client.list_participants, room)}
        assert not there[ALICE].attributes


async def test_the_metadata_of_the_room_reaches_those_who_are_in_it(media_side: Side, room: str) -> None:
    async with together(media_side, room, ALICE) as (alice,):
        changes = received(alice, "room_metadata_changed")
        async with api.LiveKitAPI(media_side.url, media_side.api_key, media_side.api_secret) as client:
            await client.room.update_room_metadata(api.UpdateRoomMetadataRequest(room=room, metadata="closing"))
        assert (await next_of(changes))[-1] == "closing"


async def test_a_person_writes_in_no_name_but_their_own(media_side: Side, room: str) -> None:
    async with together(media_side, room, ALICE, BOB, CHARLIE) as (alice, _, charlie):
        written = texts(charlie, "lk.transcription")
        writer = await alice.room.local_participant.stream_text(topic="lk.transcription", sender_identity=BOB)
        await writer.write("I am Bob.")
        await writer.aclose()
        assert (await next_of(written))[:2] == (ALICE, "I am Bob.")


async def test_an_agent_writes_transcripts_in_the_name_of_who_spoke(media_side: Side, room: str) -> None:
    agent_token = (
        api.AccessToken(media_side.api_key, media_side.api_secret)
        .with_identity(AGENT)
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=room, agent=True))
        .to_jwt()
    )
    async with together(media_side, room, ALICE) as (alice,), participant(media_side, agent_token) as agent:
        transcripts = texts(alice, "lk.transcription")
        writer = await agent.room.local_participant.stream_text(topic="lk.transcription", sender_identity=ALICE)
        await writer.write("One large pizza.")
        await writer.aclose()
        assert (await next_of(transcripts))[:2] == (ALICE, "One large pizza.")
