"""A note that any process leaves reaches the agent of the live call."""

from __future__ import annotations

import asyncio

import pytest

from sessions.calls.commands import leave_note

from .conftest import call_of, in_a_thread, kinds_of
from .handset import Handset

pytestmark = pytest.mark.asyncio


async def test_the_agent_tells_the_caller_what_became_known(handset: Handset) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    call = await call_of(handset)
    assert await in_a_thread(lambda: leave_note(call.pk, "The text message did not reach your phone."))
    async with asyncio.timeout(15):
        while "note_given" not in await kinds_of(handset):
            await asyncio.sleep(0.1)
    await handset.hang_up()
