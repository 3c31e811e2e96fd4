"""How sessions of real clients end and what the others see; the same on a real server."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import pytest
from livekit import api, rtc
from livekit.protocol.models import DisconnectReason

from voiceapp.simulators.livekit.tests.media import Participant, join_token, participant, until
from voiceapp.simulators.livekit.tests.sides import Side, Simulator, events_of

pytestmark = pytest.mark.asyncio

ALICE, BOB, AGENT = "caller-alice", "callee-bob", "ai-agent-7"
WITHIN_S = 5
KILLED_WITHIN_S = 30

JOIN_AND_STAY = """
import asyncio, sys
from livekit import rtc
async def stay():
    room = rtc.Room()
    await room.connect(sys.argv[1], sys.argv[2])
    print("joined", flush=True)
    await asyncio.sleep(60)
asyncio.run(stay())
"""


async def reason(one: Participant, *, within_s: float = WITHIN_S) -> int:
    return await asyncio.wait_for(one.disconnected.get(), within_s)


def left_as(side: Side, room: str, identity: str) -> list[str]:
    """The reasons in the webhooks of those who left with this identity."""
    left = [event["participant"] for event in events_of(side, room) if event["event"] == "participant_left"]
    return [each["disconnectReason"] for each in left if each["identity"] == identity]


def agent_token(side: Side, room: str) -> str:
    grants = api.VideoGrants(room_join=True, room=room, agent=True)
    token = api.AccessToken(side.api_key, side.api_secret).with_identity(AGENT).with_kind("agent")
    return token.with_grants(grants).to_jwt()


def departures(one: Participant) -> list[str]:
    """Filled while others leave."""
    gone: list[str] = []
    one.room.on("participant_disconnected", lambda other: gone.append(other.identity))
    return gone


async def test_one_who_leaves_is_gone_for_the_others(media_side: Side, room: str) -> None:
    async with participant(media_side, join_token(media_side, room, ALICE)) as alice:
        gone = departures(alice)
        async with participant(media_side, join_token(media_side, room, BOB)):
            await until(lambda: BOB in alice.room.remote_participants)
        await until(lambda: gone == [BOB])
        await until(lambda: left_as(media_side, room, BOB) == ["CLIENT_INITIATED"])


async def test_one_who_is_removed_learns_it(media_side: Side, room: str) -> None:
    async with participant(media_side, join_token(media_side, room, ALICE)) as alice:
        assert await asyncio.to_thread(media_side.client.remove_participant, room, ALICE)
        assert await reason(alice) == DisconnectReason.PARTICIPANT_REMOVED


async def test_all_learn_that_their_room_is_deleted(media_side: Side, room: str) -> None:
    async with (
        participant(media_side, join_token(media_side, room, ALICE)) as alice,
        participant(media_side, agent_token(media_side, room)) as agent,
    ):
        await asyncio.to_thread(media_side.client.delete_room, room)
        assert [await reason(each) for each in (alice, agent)] == [DisconnectReason.ROOM_DELETED] * 2


async def test_a_second_session_of_one_identity_ends_the_first(media_side: Side, room: str) -> None:
    async with (
        participant(media_side, join_token(media_side, room, BOB)) as bob,
        participant(media_side, join_token(media_side, room, ALICE)) as first,
    ):
        await until(lambda: ALICE in bob.room.remote_participants)
        async with participant(media_side, join_token(media_side, room, ALICE)) as second:
            assert await reason(first) == DisconnectReason.DUPLICATE_IDENTITY
            sid = second.room.local_participant.sid
            await until(lambda: bob.room.remote_participants[ALICE].sid == sid)
            await until(lambda: left_as(media_side, room, ALICE) == ["DUPLICATE_IDENTITY"])


async def test_the_room_closes_for_the_agent_after_the_last_person_has_left(media_side: Side, room: str) -> None:
    await asyncio.to_thread(media_side.client.create_room, room, departure_timeout_s=1)
    async with participant(media_side, agent_token(media_side, room)) as agent:
        async with participant(media_side, join_token(media_side, room, ALICE)):
            pass
        assert await reason(agent) == DisconnectReason.ROOM_CLOSED
        await until(lambda: [event["event"] for event in events_of(media_side, room)][-1] == "room_finished")


async def test_one_whose_process_is_killed_leaves_by_a_time_out(media_side: Side, room: str) -> None:
    url = media_side.url.replace("http", "ws", 1)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", JOIN_AND_STAY, url, join_token(media_side, room, BOB), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with participant(media_side, join_token(media_side, room, ALICE)) as alice:
        gone = departures(alice)
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"joined\n"
        await until(lambda: BOB in alice.room.remote_participants)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        if isinstance(media_side, Simulator):
            await asyncio.sleep(0.1)
            assert not gone
            media_side.livekit.advance(20)
        await until(lambda: gone == [BOB], within_s=KILLED_WITHIN_S)
        await until(lambda: left_as(media_side, room, BOB) == ["CONNECTION_TIMEOUT"])


async def test_a_track_is_muted_and_unpublished_for_the_others(media_side: Side, room: str) -> None:
    async with (
        participant(media_side, join_token(media_side, room, ALICE)) as alice,
        participant(media_side, join_token(media_side, room, BOB)) as bob,
    ):
        published = await alice.publish()
        await asyncio.wait_for(published.wait_for_subscription(), WITHIN_S)
        assert isinstance(published.track, rtc.LocalAudioTrack)

        def seen() -> Any:
            return list(bob.room.remote_participants[ALICE].track_publications.values())

        published.track.mute()
        await until(lambda: [each.muted for each in seen()] == [True])
        (there,) = [
            each
            for each in await asyncio.to_thread(media_side.client.list_participants, room)
            if each.identity == ALICE
        ]
        assert [each.is_muted for each in there.tracks] == [True]
        published.track.unmute()
        await until(lambda: [each.muted for each in seen()] == [False])
        await alice.room.local_participant.unpublish_track(published.sid)
        await until(lambda: not seen())
        await until(lambda: events_of(media_side, room)[-1]["event"] == "track_unpublished")
