"""A caller books an appointment by speaking: the assistant hears, calls the tools at the server URL, and books."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voiceapp.simulators.model.tests.garage import BOOKED, EXPECTED_CALLS, INSTRUCTIONS, SCRIPT, TOOLS, Garage
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.caller import ASSISTANT, Caller, calling
from voiceapp.simulators.vapi.tests.own_server import own_server

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]


async def test_an_appointment_is_booked_by_voice(vapi: VapiSimulator) -> None:
    garage = Garage()
    async with own_server(tool_calls=lambda message: _answer(garage, message)) as server:
        model = {
            **ASSISTANT["model"], "messages": [{"role": "system", "content": INSTRUCTIONS}],
            "tools": [{"type": "function", "function": {"name": name}} for name in TOOLS],
        }  # fmt: skip
        assistant = {**ASSISTANT, "model": model, "server": {"url": server.url}}
        async with calling(vapi, assistant=assistant) as caller:
            await caller.until("speech-update", role="assistant", status="stopped")
            for sentence in SCRIPT:
                await caller.speak(sentence)
                await _until_answered(caller)
            await caller.send({"type": "end-call"})
            await caller.closed()
        await vapi.idle()
    assert garage.calls == EXPECTED_CALLS
    assert garage.booked == BOOKED
    said = vapi.calls[caller.call["id"]].transcript.text
    assert "AI: It is booked. Anything else?" in said
    assert said.count("Goodbye") == 1


async def _until_answered(caller: Caller) -> None:
    """Until the assistant has said all that it wants to say: the caller's turn is next."""
    await caller.until("transcript", role="user", transcriptType="final")
    await caller.until("speech-update", role="assistant", status="stopped")


def _answer(garage: Garage, message: dict[str, Any]) -> dict[str, Any]:
    results = []
    for call in message["toolCallList"]:
        function = call["function"]
        output = garage.run(function["name"], json.loads(function["arguments"]))
        results.append({"toolCallId": call["id"], "name": function["name"], "result": json.dumps(output)})
    return {"results": results}
