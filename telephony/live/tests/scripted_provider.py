"""A provider that greets and then requests tools, over the GA protocol; the test chooses what the model does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

BEEP = base64.b64encode(bytes(range(0x20, 0x20 + 80)) * 20).decode()  # 200 ms that is not silence


class ScriptedProvider:
    """Requests `tools`, in one response, once the greeting was requested."""

    def __init__(self, tools: list[tuple[str, Mapping[str, object]]]) -> None:
        self.tools = tools
        self.base_url = ""
        self.outputs: list[dict[str, Any]] = []
        self.appended = 0
        self.open_sockets = 0
        self._numbers = iter(range(1, 10_000))

    async def __call__(self, socket: ServerConnection) -> None:
        self.open_sockets += 1
        try:
            await self.say(socket, "session.created", session={"type": "realtime", "id": "sess_1"})
            async for text in socket:
                await self._hear(socket, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self.open_sockets -= 1

    async def until_answered(self, count: int, *, within_s: float = 15) -> None:
        async with asyncio.timeout(within_s):
            while len(self.outputs) < count:
                await asyncio.sleep(0.02)

    async def _hear(self, socket: ServerConnection, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update":
                await self.say(socket, "session.updated", session=event["session"])
            case "input_audio_buffer.append":
                self.appended += 1
            case "conversation.item.create" if event["item"]["type"] == "function_call_output":
                self.outputs.append(json.loads(event["item"]["output"]))
            case "response.create":
                await self._speak(socket)
                tools, self.tools = self.tools, []
                if tools:
                    await self._request(socket, tools)

    async def _speak(self, socket: ServerConnection) -> None:
        response, item = f"resp_{next(self._numbers)}", f"item_{next(self._numbers)}"
        message = {"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        place = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        await self.say(socket, "response.created", response={"id": response, "status": "in_progress", "output": []})
        await self.say(socket, "response.output_item.added", response_id=response, output_index=0, item=message)
        await self.say(socket, "response.output_audio.delta", **place, delta=BEEP)
        await self.say(socket, "response.output_audio.done", **place)
        await self.say(socket, "response.output_audio_transcript.done", **place, transcript="Beep.")
        done = message | {"status": "completed"}
        await self.say(socket, "response.output_item.done", response_id=response, output_index=0, item=done)
        await self._finish(socket, response, [done])

    async def _request(self, socket: ServerConnection, tools: list[tuple[str, Mapping[str, object]]]) -> None:
        response = f"resp_{next(self._numbers)}"
        await self.say(socket, "response.created", response={"id": response, "status": "in_progress", "output": []})
        items = []
        for index, (name, arguments) in enumerate(tools):
            number = next(self._numbers)
            call = {"id": f"item_{number}", "type": "function_call", "call_id": f"call_{number}", "name": name}
            item = call | {"arguments": json.dumps(arguments), "status": "completed"}
            place = {"response_id": response, "output_index": index}
            await self.say(socket, "response.output_item.added", **place, item=call | {"status": "in_progress"})
            await self.say(
                socket, "response.function_call_arguments.done", **place, item_id=item["id"],
                call_id=item["call_id"], name=name, arguments=item["arguments"],
            )  # fmt: skip
            await self.say(socket, "response.output_item.done", **place, item=item)
            items.append(item)
        await self._finish(socket, response, items)

    async def _finish(self, socket: ServerConnection, response: str, output: list[dict[str, Any]]) -> None:
        usage = {
            "input_token_details": {"text_tokens": 100, "audio_tokens": 10},
            "output_token_details": {"text_tokens": 5, "audio_tokens": 20},
        }
        done = {"id": response, "status": "completed", "output": output, "usage": usage}
        await self.say(socket, "response.done", response=done)

    async def say(self, socket: ServerConnection, kind: str, **fields: object) -> None:
        event = {"type": kind, "event_id": f"event_{next(self._numbers)}"} | fields
        await socket.send(json.dumps(event, separators=(",", ":")))


@asynccontextmanager
async def provider_that_requests(*tools: tuple[str, Mapping[str, object]]) -> AsyncIterator[ScriptedProvider]:
    provider = ScriptedProvider(list(tools))
    async with serve(provider, "127.0.0.1", 0, compression=None) as server:
        provider.base_url = url_of(server)
        yield provider


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1"
