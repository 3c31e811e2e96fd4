"""A caller books an appointment by speaking: the model hears, calls the tools of the session, and books."""

from __future__ import annotations

import json

import pytest

from voiceapp.simulators.model.tests.garage import BOOKED, EXPECTED_CALLS, INSTRUCTIONS, SCRIPT, TOOLS, Garage
from voiceapp.simulators.openai.tests.test_protocol import SETTINGS, Client, client

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]


async def test_an_appointment_is_booked_by_voice() -> None:
    garage = Garage()
    tools = [{"type": "function", "name": name, "parameters": {"type": "object"}} for name in TOOLS]
    async with client() as caller:
        await caller.send(
            {"type": "session.update", "session": {**SETTINGS, "instructions": INSTRUCTIONS, "tools": tools}}
        )
        await caller.until("session.updated")
        for sentence in SCRIPT:
            await caller.speak(sentence)
            while await _run_tools(caller, garage):
                await caller.send({"type": "response.create"})
    assert garage.calls == EXPECTED_CALLS
    assert garage.booked == BOOKED


async def _run_tools(caller: Client, garage: Garage) -> bool:
    """Run the tools of the next response. Returns whether there were any."""
    output = (await caller.until("response.done"))[-1]["response"]["output"]
    calls = [item for item in output if item["type"] == "function_call"]
    for call in calls:
        result = json.dumps(garage.run(call["name"], json.loads(call["arguments"])))
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": result}
        await caller.send({"type": "conversation.item.create", "item": item})
    return bool(calls) and calls[-1]["name"] != "end_call"
