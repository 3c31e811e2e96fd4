"""The load's VAPI: it creates a call, and returns each frame of sound as soon as it was told to speak."""

from __future__ import annotations

import json
from binascii import a2b_base64

import httpx
import pytest
from frames import make_frame
from load import Load, Plan
from provider import Manner
from servers import free_port
from websockets.asyncio.client import connect


@pytest.mark.asyncio
async def test_a_call_is_created_and_its_frames_come_back() -> None:
    port, desk_port = free_port(), free_port()
    load = Load(Plan(provider_port=port, manner=Manner(vapi_port=desk_port)))
    frames = [a2b_base64(make_frame(0, number)) for number in range(3)]
    async with load.open():
        async with httpx.AsyncClient(trust_env=False) as client:
            created = await client.post(f"http://127.0.0.1:{desk_port}/call", json={"assistantId": "a"})
        url = created.json()["transport"]["websocketCallUrl"]
        async with connect(url, compression=None, proxy=None) as socket:
            assert json.loads(await socket.recv())["type"] == "assistant.started"
            await socket.send(frames[0])
            await socket.send(json.dumps({"type": "say", "content": "Hello."}))
            assert json.loads(await socket.recv())["type"] == "speech-update"
            assert await socket.recv() == frames[0]
            for frame in frames[1:]:
                await socket.send(frame)
                assert await socket.recv() == frame
        assert load.provider.faults({0: 3}).total() == 0
