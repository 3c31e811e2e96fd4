"""Admission: a stream without a valid signature and token opens no provider socket and is closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from pytest_django import Settings
from websockets.exceptions import InvalidStatus

from telephony.live.pending_streams import pending_streams
from telephony.twilio import consumers
from telephony.twilio.models import MediaStream

from .conftest import Provider, call_of, end_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

POLICY_VIOLATION = 1008


async def refused_with(handset: Handset, *, within_s: float = 3) -> int | None:
    return await handset.close_comes(within_s=within_s)


@pytest.mark.parametrize("signature", ["", "bm90IGEgc2lnbmF0dXJl", "\u00e9"])
async def test_a_handshake_without_our_signature_is_answered_403(handset: Handset, signature: str) -> None:
    await handset.ring()

    with pytest.raises(InvalidStatus) as refusal:
        await handset.open(signature=signature)

    assert refusal.value.response.status_code == 403


async def test_a_browser_is_never_twilio(handset: Handset) -> None:
    await handset.ring()

    with pytest.raises(InvalidStatus) as refusal:
        await handset.open(Origin="https://voice.example.com")

    assert refusal.value.response.status_code == 403


async def test_an_unknown_address_is_answered_403(handset: Handset) -> None:
    await handset.ring()
    handset.stream_url += "/elsewhere"

    with pytest.raises(InvalidStatus) as refusal:
        await handset.open()

    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("token", ["", "A" * 64, "nonsense", "x" * 5000])
async def test_a_forged_token_is_closed_with_1008(handset: Handset, openai: Provider, token: str) -> None:
    await handset.ring()
    await handset.open()
    handset.parameters["token"] = token

    await handset.start()

    assert await refused_with(handset) == POLICY_VIOLATION
    assert openai.connections == 0
    assert (await call_of(handset)).state == "ringing"


async def test_a_token_is_good_once(handset: Handset, new_handset: Callable[[], Handset]) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    thief = new_handset()
    thief.call_sid, thief.stream_url, thief.parameters = handset.call_sid, handset.stream_url, handset.parameters

    await thief.open()
    await thief.start()

    assert await refused_with(thief) == POLICY_VIOLATION
    assert not handset.closed.is_set()
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_ten_at_once_use_a_token_once(handset: Handset, new_handset: Callable[[], Handset]) -> None:
    await handset.ring()
    crowd = [handset, *(new_handset() for _ in range(9))]
    for each in crowd:
        each.call_sid, each.stream_url, each.parameters = handset.call_sid, handset.stream_url, handset.parameters
        await each.open()

    await asyncio.gather(*(each.start() for each in crowd))
    await asyncio.sleep(1)

    assert sum(not each.closed.is_set() for each in crowd) == 1


async def test_a_token_is_no_good_for_another_call(handset: Handset, new_handset: Callable[[], Handset]) -> None:
    other = new_handset()
    await handset.ring()
    await other.ring()
    await handset.open()
    handset.parameters = other.parameters

    await handset.start()

    assert await refused_with(handset) == POLICY_VIOLATION


async def test_a_late_token_is_refused(handset: Handset) -> None:
    await handset.ring()
    stream = await MediaStream.objects.select_related("call").aget(call__carrier_sid=handset.call_sid)
    stream.expires_at = stream.call.created_at
    await stream.asave()
    await handset.open()

    await handset.start()

    assert await refused_with(handset) == POLICY_VIOLATION


@pytest.mark.parametrize("query", ["?orgId=someone-else", "?callSid=CA1", "?from=%2B15550000000"])
async def test_hints_in_the_query_must_be_true(handset: Handset, query: str) -> None:
    await handset.ring()
    await handset.open(query=query)

    await handset.start()

    assert await refused_with(handset) == POLICY_VIOLATION


async def test_true_hints_in_the_query_are_accepted(handset: Handset) -> None:
    await handset.ring()
    await handset.open(query=f"?orgId={handset.parameters['orgId']}&callSid={handset.call_sid}&from={handset.caller}")

    await handset.start()

    assert await handset.hears_something(within_s=5)


async def test_a_second_start_is_closed_with_1008(handset: Handset) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)

    await handset.send_start()

    assert await refused_with(handset) == POLICY_VIOLATION
    assert await end_of(handset) == ("failed", "stream_lost")


async def test_a_start_that_never_comes_is_closed_with_1008(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "START_WITHIN_S", 0.3)
    await handset.ring()

    await handset.open()

    assert await refused_with(handset) == POLICY_VIOLATION


async def test_a_frame_over_64_kib_is_closed_with_1009(handset: Handset, openai: Provider) -> None:
    await handset.ring()
    await handset.open()

    await handset.send("x" * 65_537)

    assert await refused_with(handset) == 1009
    assert openai.connections == 0


GARBAGE: list[str | bytes] = [
    "", "{", "[" * 30_000, "null", "7", '{"event":5}', '{"event":"start"', "\x00", '{"event":NaN}', b"\xff\x00",
]  # fmt: skip


async def test_twenty_frames_of_garbage_before_start_are_closed_with_1007(handset: Handset) -> None:
    await handset.ring()
    await handset.open()

    for number in range(20):
        await handset.send(GARBAGE[number % len(GARBAGE)])

    assert await refused_with(handset) == 1007


async def test_twenty_frames_of_garbage_in_a_call_are_closed_with_1007(handset: Handset) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)

    for number in range(20):
        await handset.send(GARBAGE[number % len(GARBAGE)])

    assert await refused_with(handset) == 1007
    assert await end_of(handset) == ("failed", "stream_lost")


async def test_a_little_garbage_and_strange_frames_do_not_end_a_call(handset: Handset) -> None:
    await handset.dial()

    for frame in GARBAGE:
        await handset.send(frame)
    await handset.send(json.dumps({"event": "from_the_future", "streamSid": handset.stream_sid}))
    await handset.send(json.dumps({"event": "media", "media": {"payload": "////"}}))

    assert await handset.hears_something(within_s=5)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_150_verified_handshakes_of_one_address_are_all_accepted(new_handset: Callable[[], Handset]) -> None:
    crowd = [new_handset() for _ in range(150)]
    await crowd[0].ring()

    for each in crowd:
        each.stream_url = crowd[0].stream_url
        await each.open()  # raises InvalidStatus when it is refused

    assert len(pending_streams) == 150


async def test_handshakes_without_a_signature_take_no_place(
    new_handset: Callable[[], Handset], settings: Settings
) -> None:
    settings.MAX_UNSTARTED_STREAMS = 1
    crowd = [new_handset() for _ in range(5)]
    await crowd[0].ring()
    for each in crowd[1:]:
        each.stream_url = crowd[0].stream_url
        with pytest.raises(InvalidStatus):
            await each.open(signature="bm90IGEgc2lnbmF0dXJl")

    await crowd[0].open()


async def test_the_process_keeps_only_so_many_sockets_that_have_not_started(
    new_handset: Callable[[], Handset], settings: Settings
) -> None:
    settings.MAX_UNSTARTED_STREAMS = 2
    crowd = [new_handset() for _ in range(3)]
    await crowd[0].ring()
    for each in crowd[1:]:
        each.stream_url = crowd[0].stream_url
    await crowd[0].open()
    await crowd[1].open()

    with pytest.raises(InvalidStatus):
        await crowd[2].open()

    await crowd[0].start()
    assert await crowd[0].hears_something(within_s=5)
    await crowd[2].open()
