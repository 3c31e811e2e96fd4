"""`MAX_LIVE_CALLS` of a process, and an organization's limit over all processes, when many ring and start at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from django.test import AsyncClient
from pytest_django import Settings

from sessions.calls.models import Call, CallEvent
from telephony.live.registry import live_calls
from telephony.twilio.models import PhoneNumber
from voiceapp.core.serving import process_name

from .conftest import call_of, comes_true, end_of
from .handset import Handset
from .served import served

pytestmark = pytest.mark.asyncio


async def test_a_call_that_starts_when_all_places_are_taken_hears_that_the_line_is_busy(
    handset: Handset, new_handset: Callable[[], Handset], settings: Settings
) -> None:
    late = new_handset()
    await late.ring()
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    settings.MAX_LIVE_CALLS = 1

    await late.open()
    await late.start()

    assert await late.close_comes(within_s=3) == 1008
    assert await end_of(late, within_s=3) == ("missed", "line_full")
    twiml = await late.post_webhook("/twiml/after")
    assert [verb.tag for verb in twiml] == ["Say", "Hangup"]
    assert "busy" in (twiml[0].text or "")
    ringing = await CallEvent.objects.aget(call=await call_of(late), kind="ringing")
    assert ringing.detail == {"refused_for": "server"}
    assert len(live_calls) == 1


async def test_of_six_calls_that_start_at_once_three_find_a_place(
    new_handset: Callable[[], Handset], settings: Settings
) -> None:
    crowd = [new_handset() for _ in range(6)]
    for number, each in enumerate(crowd):
        each.caller = f"+491760000000{number}"
        await each.ring()
    settings.MAX_LIVE_CALLS = 3

    # A socket has five seconds for its start, which six webhooks may take.
    await asyncio.gather(*(each.open() for each in crowd))
    await asyncio.gather(*(each.start() for each in crowd))

    assert await asyncio.to_thread(comes_true, lambda: sum(each.closed.is_set() for each in crowd) == 3, 10)
    assert {each.close_code for each in crowd if each.closed.is_set()} == {1008}
    assert await asyncio.to_thread(comes_true, lambda: len(live_calls) == 3, 5)
    assert sum(each.closed.is_set() for each in crowd) == 3


async def test_a_full_process_is_not_ready(handset: Handset, settings: Settings) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    settings.MAX_LIVE_CALLS = 1

    response = await AsyncClient().get("/health/ready")

    assert response.status_code == 503
    assert (response.json()["status"], response.json()["liveCalls"]) == ("full", 1)


async def test_a_call_names_the_process_that_carries_it(handset: Handset) -> None:
    await handset.ring()
    await Call.objects.aupdate(process="the one that answered the webhook")
    await handset.open()
    await handset.start()
    assert await handset.hears_something(within_s=5)
    assert (await call_of(handset)).process == process_name()


@pytest.mark.waits
async def test_two_processes_take_no_more_calls_of_an_organization_than_it_may_have(
    new_handset: Callable[[], Handset], line: PhoneNumber, unused_tcp_port_factory: Callable[[], int]
) -> None:
    line.organization.max_live_calls = 7
    await line.organization.asave()
    async with AsyncExitStack() as stack:
        ports = [unused_tcp_port_factory() for _ in range(2)]
        servers = await asyncio.gather(*(stack.enter_async_context(served(port)) for port in ports))
        crowd = [new_handset() for _ in range(30)]
        for number, each in enumerate(crowd):
            each.base_url = servers[number % 2].address
            each.caller = f"+49176000000{number:02}"

        answers = await asyncio.gather(*(each.ring() for each in crowd))

    assert Counter(twiml[0].tag for twiml in answers) == {"Connect": 7, "Say": 23}
    assert await Call.objects.live().acount() == 7
