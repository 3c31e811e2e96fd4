"""Faults of the end of a response: no speech, or a rate limit with its remaining time."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.tests.test_protocol import SAY_HELLO, client

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("how", "status", "reason", "deltas"),
    [
        ("empty", "completed", None, []),
        ("text", "completed", None, []),
        ("mute", "completed", None, [""]),
        ("cut", "incomplete", "max_output_tokens", None),
        ("filtered", "incomplete", "content_filter", None),
        ("cancelled", "cancelled", "client_cancelled", []),
        ("odd", "expired", None, []),
    ],
)
async def test_the_first_response_ends_badly_and_the_second_speaks(
    how: str, status: str, reason: str | None, deltas: list[str] | None
) -> None:
    async with client(f"ends={how}") as caller:
        await caller.settle()
        await caller.send(SAY_HELLO)
        events = await caller.until("response.done")
        done = events[-1]["response"]
        assert done["status"] == status
        assert (done["status_details"] or {}).get("reason") == reason
        heard = [event["delta"] for event in events if event["type"] == "response.output_audio.delta"]
        assert heard == deltas if deltas is not None else heard
        await caller.send(SAY_HELLO)
        events = await caller.until("response.done")
        assert events[-1]["response"]["status"] == "completed"
        assert any(event["type"] == "response.output_audio.delta" for event in events)


@pytest.mark.parametrize(("how", "has_begun"), [("never", True), ("unborn", False)])
async def test_a_response_that_never_ends_or_never_begins(how: str, has_begun: bool) -> None:
    async with client(f"ends={how}") as caller:
        await caller.settle()
        await caller.send(SAY_HELLO)
        kinds: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while "response.done" not in kinds:
                    kinds.append((await caller.next())["type"])
    assert ("response.created" in kinds) is has_begun
    assert "response.done" not in kinds


async def test_a_rate_limit_has_its_remaining_time_and_ends() -> None:
    async with client("limited=600") as caller:
        await caller.settle()
        await caller.send(SAY_HELLO)
        done = (await caller.until("response.done"))[-1]["response"]
        error = done["status_details"]["error"]
        assert (done["status"], error["code"]) == ("failed", "rate_limit_exceeded")
        named = re.search(r"try again in ([\d.]+)s", error["message"])
        assert named is not None
        await asyncio.sleep(float(named[1]) + 0.05)
        await caller.send(SAY_HELLO)
        assert (await caller.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_an_unknown_ending_is_rejected() -> None:
    with pytest.raises(UnknownFault):
        OpenAIFaults.of("fault/ends=well")
