"""Secrets, sessions and sockets of browsers' calls that are not good: each gets its own words, and no call is left."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from websockets.exceptions import InvalidStatus

from agents.organizations.models import Organization
from sessions.calls.models import Call
from telephony.live.registry import live_calls

from .browser import Browser, page, signed_in
from .conftest import Provider, in_a_thread

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

NOT_SDP = "Hello."
REFUSING = "SERVER/fault/refuse={}/v1"
NOWHERE = "http://127.0.0.1:1/v1"


async def words(tab: Browser, *, secret: str | None = None, offer: str | None = None) -> tuple[int, str, str]:
    response = await tab.send_offer(secret=secret, offer=offer)
    return response.status_code, response.json()["error_code"], response.json()["message"]


async def test_a_secret_opens_one_call_once(tab: Browser) -> None:
    await tab.dial()
    again = await tab.send_offer()
    assert (again.status_code, again.json()["error_code"]) == (409, "secret_used")
    assert "another tab" in again.json()["message"]
    await tab.send("end")
    await tab.ended()
    over = await tab.send_offer()
    assert over.json()["error_code"] == "call_over"


async def test_a_secret_is_for_its_own_call(tab: Browser, product: str) -> None:
    await tab.begin()
    other = await in_a_thread(lambda: Organization.objects.create(name="Charlie's", slug="charlies"))
    stranger = await in_a_thread(lambda: signed_in(other, "charlie"))
    async with page(product, slug="charlies", session=stranger) as charlie:
        charlie.details = dict(tab.details)
        charlie.details["callsUrl"] = tab.details["callsUrl"].replace(tab.slug, "charlies")
        assert (await words(charlie))[:2] == (401, "unauthorized")
    for forged in ("garbage", "ek_of_openai", tab.details["secret"]["value"][:-4]):
        assert (await words(tab, secret=forged))[:2] == (401, "unauthorized")
    assert (await tab.call()).state == "pending"
    await tab.listen()
    await tab.send("end")
    await tab.ended()
    assert await tab.over() == ("missed", "caller_hung_up")


async def test_a_secret_expires(tab: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await tab.begin()
    later = timezone.now() + timedelta(seconds=settings.REALTIME_SECRET_LIFE_S + 1)
    monkeypatch.setattr("voiceapp.console.call_page.browser_call.services.timezone.now", lambda: later)
    status, code, message = await words(tab)
    monkeypatch.undo()
    assert (status, code) == (401, "unauthorized")
    assert "in time" in message


async def test_what_is_no_offer_does_not_use_the_secret(tab: Browser) -> None:
    await tab.begin()
    assert (await words(tab, offer=NOT_SDP))[:2] == (400, "invalid_request")
    await tab.listen()
    await tab.connect()
    await tab.send("end")
    await tab.ended()


async def test_an_offer_that_openai_refuses_fails_the_call(tab: Browser) -> None:
    await tab.begin()
    status, code, message = await words(tab, offer="v=0\r\nm=audio nonsense\r\n")
    assert (status, code) == (500, "provider_error")
    assert message == "OpenAI returned 400 Bad Request"
    assert await tab.over() == ("failed", "provider_refused")


@pytest.mark.parametrize(
    ("there", "reason", "says"),
    [
        (REFUSING.format(401), "provider_refused", "OpenAI returned 401 Unauthorized"),
        (REFUSING.format(503), "provider_failed", "OpenAI returned 503 Service Unavailable"),
        (NOWHERE, "provider_failed", "OpenAI"),
    ],
)
async def test_openai_does_not_take_the_offer(
    tab: Browser, openai: Provider, settings: Settings, there: str, reason: str, says: str
) -> None:
    await tab.begin()
    await tab.listen()
    settings.OPENAI_BASE_URL = there.replace("SERVER", openai.server.address)
    status, code, message = await words(tab)
    assert (status, code) == (500, "provider_error")
    assert message.startswith(says)
    ended = await tab.ended()
    assert (ended["endReason"], bool(ended["message"])) == (reason, True)
    assert await tab.over() == ("failed", reason)


async def test_of_several_offers_at_once_one_is_answered(tab: Browser) -> None:
    await tab.begin()
    await tab.listen()
    offer = await tab.caller.offer()
    answers = await asyncio.gather(*(tab.send_offer(offer=offer) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    await tab.send("end")
    await tab.ended()


async def test_who_hangs_up_while_the_offer_is_answered_leaves_no_call(
    tab: Browser, openai: Provider, settings: Settings
) -> None:
    await tab.begin()
    await tab.listen()
    settings.OPENAI_BASE_URL = openai.url("slow=1000")
    offering = asyncio.create_task(tab.send_offer())
    async with asyncio.timeout(10):
        while (await tab.call()).state != "ringing":
            await asyncio.sleep(0.01)
    await tab.send("end")
    await tab.ended()
    answer = await offering
    assert (answer.status_code, answer.json()["error_code"]) == (409, "call_over")
    assert await tab.over() == ("missed", "caller_hung_up")


async def test_openai_is_away_when_a_secret_is_minted(tab: Browser, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = NOWHERE
    response = await tab.request()
    assert (response.status_code, response.json()["error_code"]) == (500, "provider_error")
    assert response.json()["message"]
    call = await Call.objects.aget()
    assert (call.state, call.end_reason) == ("failed", "provider_failed")


@pytest.mark.parametrize(("fault", "reason"), [("refuse=401", "provider_refused"), ("refuse=503", "provider_failed")])
async def test_openai_mints_no_secret(
    tab: Browser, openai: Provider, settings: Settings, fault: str, reason: str
) -> None:
    settings.OPENAI_BASE_URL = openai.url(fault)
    response = await tab.request()
    assert (response.status_code, response.json()["error_code"]) == (500, "provider_error")
    assert response.json()["message"].startswith("OpenAI returned ")
    call = await Call.objects.aget()
    assert (call.state, call.end_reason) == ("failed", reason)


async def test_strangers_get_no_socket(tab: Browser, product: str) -> None:
    await tab.begin()
    other = await in_a_thread(lambda: Organization.objects.create(name="Charlie's", slug="charlies"))
    stranger = await in_a_thread(lambda: signed_in(other, "charlie"))
    async with page(product, slug=tab.slug, session=stranger) as charlie:
        assert (await charlie.request()).status_code == 404
        charlie.details = tab.details
        with pytest.raises(InvalidStatus):
            await charlie.listen()
    with pytest.raises(InvalidStatus):
        await tab.listen(Origin="https://elsewhere.example")
    with pytest.raises(InvalidStatus):
        await tab.listen(Cookie="")
    await tab.listen()
    await tab.send("end")
    await tab.ended()


@pytest.mark.parametrize(
    "frame", ["", "{", "[]", '{"type":7}', '{"type":"unknown"}', '{"type":"say","text":7}', "x" * 9000]
)
async def test_garbage_on_the_socket_does_no_harm(tab: Browser, frame: str) -> None:
    await tab.dial()
    assert tab._socket is not None
    await tab._socket.send(frame)
    await tab.send("end")
    await tab.ended()


async def test_a_page_that_floods_its_socket_is_cut_off_and_its_call_goes_on(tab: Browser) -> None:
    await tab.dial()
    for _ in range(100):
        await tab.send("nothing")
    async with asyncio.timeout(5):
        while tab.close_code is None:
            await asyncio.sleep(0.01)
    assert tab.close_code == 1008
    assert live_calls.find((await tab.call()).pk) is not None
    await tab.listen()
    await tab.send("end")
    await tab.ended()
    await sync_to_async(connections.close_all)()
