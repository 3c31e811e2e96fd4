"""The socket of a participant by itself: joins that fail, garbage, resumptions; the same on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, SignalRequest, SignalResponse

from voiceapp.simulators.livekit.tests.media import join_token, participant, until
from voiceapp.simulators.livekit.tests.sides import Side, events_of

pytestmark = pytest.mark.asyncio

ALICE, BOB = "caller-alice", "callee-bob"
WITHIN_S = 5


@contextlib.asynccontextmanager
async def socket(side: Side, token: str, **query: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{side.url}/rtc", params={"access_token": token, "protocol": "17", "sdk": "js", **query}
        ) as one,
    ):
        yield one


async def receive(one: aiohttp.ClientWebSocketResponse, kind: str) -> SignalResponse:
    """The next signal of this kind."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            signal = SignalResponse.FromString(await one.receive_bytes())
            if signal.WhichOneof("message") == kind:
                return signal


async def closed(one: aiohttp.ClientWebSocketResponse) -> bool:
    async with asyncio.timeout(WITHIN_S):
        async for _ in one:
            pass
    return one.closed


async def test_one_who_goes_before_its_media_is_connected_has_not_joined(media_side: Side, room: str) -> None:
    async with socket(media_side, join_token(media_side, room, ALICE)) as alice:
        join = (await receive(alice, "join")).join
        assert (join.room.name, join.participant.identity) == (room, ALICE)
        assert [url for server in join.ice_servers for url in server.urls] == ["stun:127.0.0.1:3478"]
    await until(lambda: [event["event"] for event in events_of(media_side, room)][1:2])
    (left,) = events_of(media_side, room)[1:]
    assert left["event"] == "participant_connection_aborted"
    assert (left["participant"]["identity"], left["participant"]["disconnectReason"]) == (ALICE, "SIGNAL_CLOSE")


async def test_a_session_that_is_not_there_is_to_be_joined_anew(media_side: Side, room: str) -> None:
    token = join_token(media_side, room, ALICE)
    async with socket(media_side, token, reconnect="1", sid="PA_unknown") as alice:
        leave = (await receive(alice, "leave")).leave
        assert (leave.reason, leave.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.Action.RECONNECT)


@pytest.mark.parametrize("token", ["", "a.b.c"])
async def test_a_token_that_opens_nothing_is_refused(media_side: Side, token: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with socket(media_side, token):
            pass
    assert refused.value.status == 401


async def test_a_ping_is_answered(media_side: Side, room: str) -> None:
    async with socket(media_side, join_token(media_side, room, ALICE)) as alice:
        await alice.send_bytes(SignalRequest(ping_req={"timestamp": 7}).SerializeToString())
        assert (await receive(alice, "pong_resp")).pong_resp.last_ping_timestamp == 7


async def test_garbage_ends_the_session(media_side: Side, room: str) -> None:
    async with socket(media_side, join_token(media_side, room, ALICE)) as alice:
        await receive(alice, "join")
        await alice.send_bytes(b"\xff" * 40)
        assert await closed(alice)


NONSENSE: list[dict[str, Any]] = [
    {"offer": {"type": "offer", "sdp": "v=0\r\nnonsense"}},
    {"answer": {"type": "answer", "sdp": "nonsense"}},
    {"trickle": {"candidateInit": "{not json", "target": 1}},
    {"trickle": {"candidateInit": '{"candidate": "candidate:1 1 udp"}'}},
    {"add_track": {"cid": "c", "source": 99, "type": 7}},
    {"mute": {"sid": "TR_unknown", "muted": True}},
    {"subscription": {"track_sids": ["TR_unknown"], "subscribe": True}},
    {"update_metadata": {"metadata": "m" * 70_000}},
]


async def test_a_signal_that_makes_no_sense_ends_at_most_its_own_session(plain_livekit: Side, room: str) -> None:
    async with participant(plain_livekit, join_token(plain_livekit, room, BOB)) as bob:
        for signal in NONSENSE:
            async with socket(plain_livekit, join_token(plain_livekit, room, ALICE)) as alice:
                await receive(alice, "offer")
                await alice.send_bytes(SignalRequest(**signal).SerializeToString())
                await alice.send_bytes(SignalRequest(leave={}).SerializeToString())
                assert await closed(alice)
        await until(lambda: not bob.room.remote_participants)
        assert bob.room.isconnected()


async def test_everything_stays_on_this_machine(plain_livekit: Side, room: str) -> None:
    async with socket(plain_livekit, join_token(plain_livekit, room, ALICE)) as alice:
        sdp = (await receive(alice, "offer")).offer.sdp
        candidates = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate")]
        assert candidates
        assert {each[4] for each in candidates} == {"127.0.0.1"}


async def test_a_full_room_refuses_one_more(media_side: Side, room: str) -> None:
    await asyncio.to_thread(media_side.client.create_room, room, max_participants=1)
    async with participant(media_side, join_token(media_side, room, ALICE)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with socket(media_side, join_token(media_side, room, BOB)):
                pass
        assert refused.value.status == 500


async def test_one_who_is_hidden_hears_and_is_listed_but_not_seen(media_side: Side, room: str) -> None:
    token = media_side.client.listener_token(room=room, identity="listener-1")
    async with participant(media_side, join_token(media_side, room, ALICE)) as alice:
        async with participant(media_side, token) as hidden:
            assert [each.identity for each in hidden.room.remote_participants.values()] == [ALICE]
            published = await alice.publish()
            until_heard = asyncio.create_task(published.wait_for_subscription())
            while hidden.loud_since_s(ALICE) is None:
                await alice.play(hertz=440, seconds=0.1)
            assert alice.room.remote_participants == {}
            assert not until_heard.done()
            until_heard.cancel()
            listed = await asyncio.to_thread(media_side.client.list_participants, room)
            assert {each.identity for each in listed} == {ALICE, "listener-1"}
        await until(lambda: left(media_side, room, "listener-1"))
    joined = [each for each in events_of(media_side, room) if each["event"] == "participant_joined"]
    assert {each["participant"]["identity"] for each in joined} == {ALICE, "listener-1"}


def left(side: Side, room: str, identity: str) -> bool:
    events = [each for each in events_of(side, room) if each["event"] == "participant_left"]
    return identity in [each["participant"]["identity"] for each in events]
