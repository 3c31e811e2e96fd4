"""Faults of the socket and of REST, by URL."""

from __future__ import annotations

import asyncio
import base64
import json

import aiohttp
import pytest

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.faults import VapiFaults
from voiceapp.simulators.vapi.tests.caller import HEADERS, call_body, calling, post

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


@pytest.mark.parametrize("status", [401, 402, 429, 500, 503])
async def test_a_call_is_refused_with_a_status(vapi: VapiSimulator, status: int) -> None:
    got, error = await post(f"{vapi.fault_url(f'refuse={status}')}/call", call_body())
    assert (got, error["statusCode"]) == (status, status)
    assert error["message"]


async def test_the_first_requests_are_refused(vapi: VapiSimulator) -> None:
    url = f"{vapi.fault_url('flaky=2', 'tag=here')}/call"
    assert [(await post(url, call_body()))[0] for _ in range(3)] == [503, 503, 201]


async def test_a_blocked_call_has_no_socket(vapi: VapiSimulator) -> None:
    status, call = await post(f"{vapi.fault_url('concurrency_blocked')}/call", call_body())
    assert (status, call["subscriptionLimits"]["concurrencyBlocked"]) == (201, True)
    assert (call["status"], "websocketCallUrl" in call["transport"]) == ("ended", False)
    assert call["endedReason"] == "call.start.error-subscription-concurrency-limit-reached"


async def test_a_response_without_its_urls(vapi: VapiSimulator) -> None:
    call = (await post(f"{vapi.fault_url('no_url', 'no_monitor')}/call", call_body()))[1]
    assert ("websocketCallUrl" in call["transport"], "monitor" in call) == (False, False)


async def test_a_body_that_is_no_json(vapi: VapiSimulator) -> None:
    with pytest.raises(json.JSONDecodeError):
        await post(f"{vapi.fault_url('bad_json')}/call", call_body())


@pytest.mark.parametrize("fault", ["slow=60000", "no_answer"])
async def test_a_response_that_does_not_come(vapi: VapiSimulator, fault: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await post(f"{vapi.fault_url(fault)}/call", call_body())


async def test_a_refused_socket(vapi: VapiSimulator) -> None:
    call = (await post(f"{vapi.fault_url('refuse_socket=503')}/call", call_body()))[1]
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(call["transport"]["websocketCallUrl"])
    assert refused.value.status == 503


@pytest.mark.parametrize(("fault", "code"), [("close=1011@2", 1011), ("close=4000", 4000), ("drop_after=2", 1006)])
async def test_a_connection_that_ends_early(vapi: VapiSimulator, fault: str, code: int) -> None:
    async with calling(vapi, fault) as caller:
        assert await caller.closed() == code
    assert len(caller.events) in (2, 3)


async def test_garbage_comes_before_each_event(vapi: VapiSimulator) -> None:
    async with calling(vapi, "garbage") as caller:
        kinds: list[str] = []
        async for message in caller.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                kinds.append(message.data)
            if len(kinds) == 4:
                break
    assert kinds[0] == "{not json"
    assert json.loads(kinds[1])["type"] == "status-update"


async def test_audio_as_text(vapi: VapiSimulator) -> None:
    async with calling(vapi, "text_audio") as caller:
        async for message in caller.socket:
            assert message.type is aiohttp.WSMsgType.TEXT
            if not message.data.startswith("{"):
                assert base64.b64decode(message.data, validate=True)
                break


async def test_silence_is_sent_between_the_words(vapi: VapiSimulator) -> None:
    async with calling(vapi, "steady_audio", "no_first_message") as caller:
        await caller.until("assistant.started")
        while len(caller.audio) < 480:
            await caller.receive()
    assert set(caller.audio) == {0xFF}


async def test_events_inside_a_message(vapi: VapiSimulator) -> None:
    async with calling(vapi, "nested") as caller:
        message = await caller.socket.receive_json()
    assert message["message"]["type"] == "status-update"


async def test_echo_returns_the_audio(vapi: VapiSimulator) -> None:
    async with calling(vapi, "echo") as caller:
        await caller.socket.send_bytes(b"\x7f" * 160)
        assert await caller.socket.receive_bytes() == b"\x7f" * 160


async def test_a_silent_assistant_hears_but_never_speaks(vapi: VapiSimulator) -> None:
    async with calling(vapi, "silent") as caller:
        await caller.until("assistant.started")
        await caller.speak("Hello.")
        await caller.until("transcript", role="user", transcriptType="final")
        await asyncio.sleep(0.3)
    assert not caller.audio


async def test_a_deaf_assistant_chirps(vapi: VapiSimulator) -> None:
    async with calling(vapi, "deaf", "no_first_message") as caller:
        await caller.until("assistant.started")
        await caller.speak("Hello.")
        await caller.until("speech-update", role="assistant", status="stopped")
    assert caller.audio
    assert not [each for each in caller.events if each["type"] == "transcript" and each["role"] == "user"]


@pytest.mark.parametrize("path", ["fault/invented", "fault/slow=soon", "fault/tool_shape=round", "fault/tools=x"])
async def test_an_unknown_fault_is_rejected(vapi: VapiSimulator, path: str) -> None:
    with pytest.raises(UnknownFault):
        VapiFaults.of(path)
    assert (await post(f"{vapi.address}/{path}/call", call_body()))[0] == 404
