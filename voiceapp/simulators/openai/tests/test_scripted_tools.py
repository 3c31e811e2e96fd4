"""Faults of ids and tools, by URL."""

from __future__ import annotations

from typing import Any

import pytest

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.openai import tools_fault
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.tests.test_protocol import client

pytestmark = pytest.mark.asyncio

TWO = [("change_order", {"changes": [{"do": "clear"}]}), ("read_back_order", {})]
ANSWER = {"type": "response.create"}


async def test_a_session_calls_the_tools_of_its_url() -> None:
    async with client(tools_fault(TWO, [("end_call", {})])) as caller:
        await caller.settle()
        calls = []
        for _ in range(2):
            await caller.send(ANSWER)
            output = (await caller.until("response.done"))[-1]["response"]["output"]
            calls.append([(item["name"], item["arguments"]) for item in output])
    assert calls == [
        [("change_order", '{"changes":[{"do":"clear"}]}'), ("read_back_order", "{}")],
        [("end_call", "{}")],
    ]


async def test_counted_ids_repeat_in_each_response_and_each_session() -> None:
    seen: list[list[Any]] = []
    for _ in range(2):
        async with client("count_ids", tools_fault(TWO, TWO)) as caller:
            await caller.settle()
            for _ in range(2):
                await caller.send(ANSWER)
                done = (await caller.until("response.done"))[-1]["response"]
                seen.append([done["id"], *(each for item in done["output"] for each in (item["id"], item["call_id"]))])
    assert seen[:2] == seen[2:]
    assert seen[:2] == [
        ["resp_1", "item_1", "call_1", "item_2", "call_2"],
        ["resp_2", "item_3", "call_1", "item_4", "call_2"],
    ]


@pytest.mark.parametrize("argument", ["=x", "=W10x", "=WzFd"])
async def test_an_invalid_script_is_rejected(argument: str) -> None:
    with pytest.raises(UnknownFault):
        OpenAIFaults.of(f"fault/tools{argument}")
