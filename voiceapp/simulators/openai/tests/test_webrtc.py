"""Calls over WebRTC, as OpenAI's own SDK and another implementation's peer connection make them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import openai
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed

from voiceapp.simulators.openai import OpenAISimulator

from .caller import WAIT_S, Caller
from .test_protocol import MENU, SAY_HELLO

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]

SESSION: dict[str, Any] = {
    "type": "realtime", "model": "gpt-realtime", "instructions": MENU,
    "audio": {"input": {"transcription": {"model": "whisper-1"}}},
}  # fmt: skip


@asynccontextmanager
async def server() -> AsyncIterator[OpenAISimulator]:
    async with OpenAISimulator(keys=["right"]) as simulator:
        yield simulator


@asynccontextmanager
async def sdk(simulator: OpenAISimulator, *faults: str, key: str = "right") -> AsyncIterator[openai.AsyncOpenAI]:
    base_url = simulator.fault_url(*faults) if faults else simulator.base_url
    async with openai.AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=WAIT_S) as client:
        yield client


@asynccontextmanager
async def call(simulator: OpenAISimulator, *faults: str) -> AsyncIterator[tuple[Caller, str]]:
    """A caller who is connected, and the call's id."""
    caller = Caller()
    async with sdk(simulator, *faults) as client:
        created = await client.realtime.calls.create(sdp=await caller.offer(), session=SESSION)  # type: ignore[arg-type]
        call_id = created.response.headers["Location"].rpartition("/")[2]
        await caller.accept(created.text)
        try:
            await caller.until("session.created")
            yield caller, call_id
        finally:
            await caller.close()


async def closed(side: AsyncRealtimeConnection) -> int | None:
    """The code with which the server closes a side channel."""
    try:
        while True:
            await side.recv()
    except ConnectionClosed as exc:
        return exc.rcvd.code if exc.rcvd else None


async def gone(simulator: OpenAISimulator) -> None:
    async with asyncio.timeout(WAIT_S):
        while simulator.live_calls:
            await asyncio.sleep(0.01)


async def test_a_caller_is_greeted_understood_and_answered() -> None:
    async with server() as simulator, call(simulator) as (caller, _):
        caller.send(SAY_HELLO)
        started = await caller.until("output_audio_buffer.started")
        assert started["response_id"] == (await caller.until("response.done"))["response"]["id"]
        await caller.until("output_audio_buffer.stopped")
        assert caller.loud_at_s
        caller.microphone.say("One tiramisu, please.")
        heard = await caller.until("conversation.item.input_audio_transcription.completed")
        assert "tiramisu" in heard["transcript"].lower()
        await caller.until("response.done", 2)
        assert not caller.of("response.output_audio.delta")
        assert not caller.of("error")


async def test_the_agent_is_silent_soon_after_the_caller_speaks_and_the_item_is_cut_to_what_was_heard() -> None:
    long = {"type": "response.create", "response": {"instructions": f'Say exactly: "{"We have pizza. " * 12}"'}}
    async with server() as simulator, call(simulator) as (caller, _):
        caller.send(long)
        await caller.until("output_audio_buffer.started")
        await caller.hears(ms=1000)
        received_ms = caller.received_ms
        caller.microphone.say("One tiramisu, please.")
        await caller.until("input_audio_buffer.speech_started")
        cut_s = asyncio.get_running_loop().time()
        cleared = await caller.until("output_audio_buffer.cleared")
        truncated = await caller.until("conversation.item.truncated")
        assert cleared["response_id"] == caller.of("output_audio_buffer.started")[0]["response_id"]
        assert 800 <= truncated["audio_end_ms"] <= 1000 + caller.received_ms - received_ms + 500
        await asyncio.sleep(0.4)
        assert max(at_s for at_s in caller.loud_at_s if at_s < cut_s + 0.4) < cut_s + 0.3


async def test_a_side_channel_follows_the_call_and_hangs_up() -> None:
    async with server() as simulator, call(simulator) as (caller, call_id), sdk(simulator) as client:
        async with client.realtime.connect(call_id=call_id) as side:
            created = await side.recv()
            assert created.type == "session.created"
            assert (await side.recv()).type == "conversation.created"
            await side.response.create(response={"instructions": 'Say exactly: "Hello."'})
            assert (await side.recv()).type == "response.created"
            await caller.until("response.done")
            await client.realtime.calls.hangup(call_id)
            assert await closed(side) == 1000
        await gone(simulator)
        with pytest.raises(openai.NotFoundError):
            await client.realtime.calls.hangup(call_id)


async def test_a_call_ends_for_the_side_channel_when_the_caller_leaves() -> None:
    async with server() as simulator, sdk(simulator) as client:
        async with call(simulator) as (_, call_id):
            side = await client.realtime.connect(call_id=call_id).enter()
        assert await closed(side) == 1000
        await gone(simulator)


async def test_a_client_secret_opens_a_call_with_the_session_it_was_minted_for() -> None:
    async with server() as simulator, sdk(simulator) as client:
        minted = await client.realtime.client_secrets.create(session=SESSION)  # type: ignore[arg-type]
        caller = Caller()
        async with httpx.AsyncClient() as http:
            response = await http.post(
                f"{simulator.base_url}/realtime/calls", content=await caller.offer(),
                headers={"Content-Type": "application/sdp", "Authorization": f"Bearer {minted.value}"},
            )  # fmt: skip
        assert (response.status_code, response.headers["Content-Type"]) == (201, "application/sdp; charset=utf-8")
        await caller.accept(response.text)
        assert (await caller.until("session.created"))["session"]["instructions"] == MENU
        await caller.close()
        await gone(simulator)


async def test_formats_of_the_session_do_not_apply() -> None:
    async with server() as simulator, call(simulator) as (caller, _):
        pcmu = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcmu"}}}
        caller.send({"type": "session.update", "session": {"type": "realtime", "audio": pcmu}})
        session = (await caller.until("session.updated"))["session"]
        assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}


@pytest.mark.parametrize(
    ("content_type", "body", "key", "expected"),
    [
        ("application/sdp", "no SDP", "right", (400, "invalid_offer")),
        ("application/sdp", "", "right", (400, "invalid_offer")),
        ("application/sdp", "v=0", "wrong", (401, "invalid_api_key")),
        ("text/plain", "v=0", "right", (400, "unsupported_content_type")),
        ("multipart/form-data; boundary=b", "--b--\r\n", "right", (400, "missing_required_parameter")),
        ("multipart/form-data; boundary=b", "garbage", "right", (400, "invalid_multipart")),
    ],
)
async def test_a_bad_offer_gets_an_error(content_type: str, body: str, key: str, expected: tuple[int, str]) -> None:
    async with server() as simulator, httpx.AsyncClient() as http:
        response = await http.post(
            f"{simulator.base_url}/realtime/calls?model=gpt-realtime", content=body,
            headers={"Content-Type": content_type, "Authorization": f"Bearer {key}"},
        )  # fmt: skip
        assert (response.status_code, response.json()["error"]["code"]) == expected
        assert simulator.live_calls == 0


async def test_a_call_that_breaks_ends_for_both() -> None:
    async with server() as simulator, call(simulator, "drop_after=3") as (caller, _):
        caller.send(SAY_HELLO)
        await gone(simulator)
        async with asyncio.timeout(WAIT_S):
            while caller.peer.connectionState != "closed":
                await asyncio.sleep(0.01)


async def test_a_call_that_stalls_at_once_says_nothing_at_all() -> None:
    async with server() as simulator, sdk(simulator, "stall=0") as client:
        caller = Caller()
        created = await client.realtime.calls.create(sdp=await caller.offer(), session=SESSION)  # type: ignore[arg-type]
        await caller.accept(created.text)
        async with asyncio.timeout(WAIT_S):
            while caller.channel.readyState != "open":
                await asyncio.sleep(0.01)
        caller.send(SAY_HELLO)
        await caller.hears(100)
        assert caller.events == []
        await caller.close()


async def test_no_side_channel_to_a_call_that_is_not_there() -> None:
    async with server() as simulator, sdk(simulator) as client:
        with pytest.raises(Exception, match="404"):
            await client.realtime.connect(call_id="rtc_none").enter()
