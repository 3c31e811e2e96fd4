"""The simulator of OpenAI follows the GA protocol over a real socket: authentication, errors, the order of events."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.model.tests.dialogue import TOOLS
from voiceapp.simulators.openai import OpenAISimulator

pytestmark = pytest.mark.asyncio

MENU = "ITEM Tiramisu | price: 5.00\nITEM Espresso | price: 2.20"
WAIT_S = 15.0
PCMU = {"type": "audio/pcmu"}
SETTINGS = {
    "type": "realtime", "instructions": MENU, "output_modalities": ["audio"],
    "audio": {
        "input": {"format": PCMU, "turn_detection": {"type": "server_vad"}, "transcription": {"model": "whisper-1"}},
        "output": {"format": PCMU},
    },
    "tools": [{"type": "function", "name": name, "parameters": {"type": "object"}} for name in TOOLS],
}  # fmt: skip
SAY_HELLO = {"type": "response.create", "response": {"instructions": 'Say exactly: "Hello."'}}


class Client:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, event: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(event))

    async def next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(await asyncio.wait_for(self._socket.recv(), WAIT_S))
        return event

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """All events up to the next of this kind, which is the last."""
        events = [await self.next()]
        while events[-1]["type"] != kind:
            events.append(await self.next())
        return events

    async def error(self, event: dict[str, Any]) -> dict[str, Any]:
        """What the server has against this event."""
        await self.send(event)
        error: dict[str, Any] = (await self.until("error"))[-1]["error"]
        return error

    async def closed(self) -> int | None:
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    async def settle(self) -> None:
        await self.send({"type": "session.update", "session": SETTINGS})
        await self.until("session.updated")

    async def speak(self, text: str) -> None:
        audio = mulaw.encode(bytes(3200) + speech.say(text) + bytes(16000))
        for at in range(0, len(audio), 160):
            chunk = base64.b64encode(audio[at : at + 160]).decode()
            await self.send({"type": "input_audio_buffer.append", "audio": chunk})


@asynccontextmanager
async def client(
    *faults: str, key: str = "right", query: str = "?model=gpt-realtime", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    async with OpenAISimulator(keys=["right"], ahead=50) as server:
        url = server.fault_url(*faults).replace("http", "ws") + f"/realtime{query}"
        async with connect(url, additional_headers={"Authorization": f"Bearer {key}", **(headers or {})}) as socket:
            yield Client(socket)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_a_wrong_key_is_rejected_in_the_handshake() -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client(key="wrong"):
            pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["error"]["code"] == "invalid_api_key"


async def test_a_slow_handshake_is_accepted_after_its_time() -> None:
    began = asyncio.get_running_loop().time()
    async with client("slow_connect=300") as caller:
        assert asyncio.get_running_loop().time() - began >= 0.3
        assert (await caller.next())["type"] == "session.created"


async def test_the_beta_header_gets_an_error_and_close_code_4000() -> None:
    async with client(headers={"OpenAI-Beta": "realtime=v1"}) as caller:
        assert (await caller.next())["error"]["code"] == "beta_api_shape_disabled"
        assert await caller.closed() == 4000


async def test_an_unknown_model_is_closed_with_4000() -> None:
    async with client(query="?model=invented") as caller:
        assert (await caller.next())["error"]["code"] == "model_not_found"
        assert await caller.closed() == 4000


async def test_the_session_is_created_then_updated() -> None:
    async with client() as caller:
        created = await caller.next()
        assert created["type"] == "session.created"
        assert created["session"]["type"] == "realtime"
        await caller.send({"type": "session.update", "session": SETTINGS})
        updated = (await caller.until("session.updated"))[-1]["session"]
        assert updated["audio"]["input"]["format"] == PCMU
        assert updated["instructions"] == MENU


async def test_an_unknown_field_is_named_in_the_error() -> None:
    async with client() as caller:
        session = {"type": "realtime", "temperament": "mild"}
        error = await caller.error({"type": "session.update", "event_id": "mine", "session": session})
    assert error["type"] == "invalid_request_error"
    assert error["code"] == "unknown_parameter"
    assert error["param"] == "session.temperament"
    assert error["event_id"] == "mine"


async def test_a_spoken_turn_sends_its_events_in_order_and_calls_the_tool() -> None:
    async with client() as caller:
        await caller.settle()
        await caller.speak("I would like two espressos please.")
        events = await caller.until("response.done")
    sent = kinds(events)
    expected = [
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "conversation.item.added", "conversation.item.done", "response.created",
        "conversation.item.input_audio_transcription.completed", "response.output_item.added",
        "response.function_call_arguments.delta", "response.function_call_arguments.done",
        "response.output_item.done", "response.done",
    ]  # fmt: skip
    assert [sent.index(kind) for kind in expected] == sorted(sent.index(kind) for kind in expected), sent
    call = events[-1]["response"]["output"][0]
    assert (call["type"], call["name"]) == ("function_call", "change_order")
    assert json.loads(call["arguments"])["changes"][0]["item"] == "Espresso"


async def test_the_output_of_a_tool_is_spoken() -> None:
    async with client() as caller:
        await caller.settle()
        typed = [{"type": "input_text", "text": "an espresso and a tiramisu"}]
        await caller.send({"type": "conversation.item.create", "item": {
            "type": "message", "role": "user", "content": typed,
        }})  # fmt: skip
        await caller.send({"type": "response.create"})
        calls = (await caller.until("response.done"))[-1]["response"]["output"]
        assert len(json.loads(calls[0]["arguments"])["changes"]) == 2
        for call in calls:
            answer = {
                "type": "function_call_output",
                "call_id": call["call_id"],
                "output": '{"ok":true,"say":"Added."}',
            }
            await caller.send({"type": "conversation.item.create", "item": answer})
        await caller.send({"type": "response.create"})
        events = await caller.until("response.done")
    said = next(event for event in events if event["type"] == "response.output_audio_transcript.done")
    assert said["transcript"].startswith("Added.")


async def test_the_output_of_an_unknown_function_call_is_rejected() -> None:
    async with client() as caller:
        item = {"type": "function_call_output", "call_id": "call_invented", "output": "{}"}
        error = await caller.error({"type": "conversation.item.create", "item": item})
    assert error["code"] == "invalid_tool_call_id"


async def test_null_instructions_of_a_response_are_those_of_the_session() -> None:
    async with client() as one:
        await one.settle()
        await one.send({"type": "response.create", "response": {"instructions": None}})
        assert (await one.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_a_second_response_during_the_first_is_rejected() -> None:
    async with client("slow=1000") as caller:
        await caller.settle()
        await caller.send(SAY_HELLO)
        error = await caller.error(SAY_HELLO)
    assert error["code"] == "conversation_already_has_active_response"


async def test_what_is_longer_than_the_audio_or_unknown_cannot_be_truncated() -> None:
    async with client() as caller:
        await caller.settle()
        await caller.send(SAY_HELLO)
        item_id = (await caller.until("response.done"))[-1]["response"]["output"][0]["id"]
        cut = {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0}
        too_long = await caller.error({**cut, "audio_end_ms": 60_000})
        unknown = await caller.error({**cut, "item_id": "item_invented", "audio_end_ms": 10})
        await caller.send({**cut, "audio_end_ms": 200})
        assert (await caller.next())["type"] == "conversation.item.truncated"
    assert "already shorter than 60000ms" in too_long["message"]
    assert unknown["code"] == "item_truncate_invalid_item_id"


async def test_the_longest_session_ends_with_1001() -> None:
    async with client("session_limit_s=1") as caller:
        assert await caller.closed() == 1001
