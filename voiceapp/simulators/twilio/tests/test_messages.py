"""Texts through the REST API, by Twilio's own client: they arrive at a phone, which can answer."""

from __future__ import annotations

import asyncio
from typing import Any
from xml.sax.saxutils import escape

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from voiceapp.simulators.twilio import Number, TwilioSimulator
from voiceapp.simulators.twilio.message import Receives
from voiceapp.simulators.twilio.tests.fake_application import AUTH_TOKEN, FakeApplication
from voiceapp.simulators.twilio.tests.test_rest import ALICE, BOB, LINE, client_of

pytestmark = pytest.mark.asyncio


async def create(server: TwilioSimulator, *, prefix: str = "", **changes: object) -> object:
    given = {"to": BOB, "from_": LINE, "body": "Hello"} | changes
    return await asyncio.to_thread(lambda: client_of(server, prefix=prefix).messages.create(**given))


async def inbox(server: TwilioSimulator, number: str, count: int = 1) -> list[str]:
    url = f"{server.base_url}/local/messages"
    query = {"number": number, "count": str(count), "wait_s": "3"}
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as response:
        return [each["body"] for each in (await response.json())["messages"]]


async def text(server: TwilioSimulator, body: str, **more: str) -> None:
    given = {"from": BOB, "to": LINE, "body": body} | more
    url = f"{server.base_url}/local/messages"
    async with aiohttp.ClientSession() as session, session.post(url, json=given) as response:
        assert response.status == 201


async def statuses(application: FakeApplication, count: int) -> list[str]:
    async with asyncio.timeout(8):
        while len(application.requests_of("/status")) < count:
            await asyncio.sleep(0.02)
    return [each.params["MessageStatus"] for each in application.requests_of("/status")]


async def test_a_text_arrives_and_each_status_is_reported(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    created = await create(server, status_callback=f"{application.base_url}/status#rc=2")
    assert (created.status, created.direction, created.num_segments) == ("queued", "outbound-api", "1")  # type: ignore[attr-defined]
    assert await inbox(server, BOB) == ["Hello"]
    assert await statuses(application, 2) == ["sent", "delivered"]
    last = application.requests_of("/status")[-1]
    assert last.params["MessageSid"] == last.params["SmsSid"] == created.sid  # type: ignore[attr-defined]
    assert RequestValidator(AUTH_TOKEN).validate(last.url, last.params, last.headers["x-twilio-signature"])


async def test_texts_are_listed_by_number_and_shown(server: TwilioSimulator) -> None:
    created = await create(server)
    await create(server, to=ALICE)
    client = client_of(server)
    (listed,) = await asyncio.to_thread(lambda: client.messages.list(to=BOB))
    assert (listed.sid, listed.body, listed.from_) == (created.sid, "Hello", LINE)  # type: ignore[attr-defined]
    assert listed.date_created
    assert (await asyncio.to_thread(client.messages(listed.sid).fetch)).to == BOB


async def test_a_text_is_deleted_once_it_has_arrived(server: TwilioSimulator, application: FakeApplication) -> None:
    created = await create(server, status_callback=f"{application.base_url}/status#rc=2")
    await statuses(application, 2)
    messages = client_of(server).messages
    assert await asyncio.to_thread(messages(created.sid).delete)  # type: ignore[attr-defined]
    assert await asyncio.to_thread(lambda: messages.list(to=BOB)) == []


@pytest.mark.parametrize(("changes", "code"), [
    ({"to": ""}, 21604),
    ({"to": "030 5550199"}, 21211),
    ({"from_": ""}, 21603),
    ({"from_": "Alice"}, 21212),
    ({"body": ""}, 21602),
    ({"body": "x" * 1601}, 21617),
    ({"to": LINE}, 21266),
    ({"status_callback": "nowhere"}, 21609),
])  # fmt: skip
async def test_an_invalid_text_is_rejected(server: TwilioSimulator, changes: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as caught:
        await create(server, **changes)
    assert (caught.value.status, caught.value.code) == (400, code)


@pytest.mark.parametrize(("what", "code"), [("landline", 21614), ("opted_out", 21610), ("invalid", 21211)])
async def test_a_number_can_refuse_texts(server: TwilioSimulator, what: str, code: int) -> None:
    server.carrier.numbers[BOB] = Number(texts=Receives(what))
    with pytest.raises(TwilioRestException) as caught:
        await create(server)
    assert caught.value.code == code


@pytest.mark.parametrize(("what", "code"), [
    ("landline_late", "30006"), ("unregistered", "30034"), ("unreachable", "30003"), ("filtered", "30007"),
])  # fmt: skip
async def test_a_text_can_fail_afterwards_by_address(
    server: TwilioSimulator, application: FakeApplication, what: str, code: str
) -> None:
    await create(server, prefix=f"/fault/texts={what}", status_callback=f"{application.base_url}/status")
    assert await statuses(application, 2) == ["sent", "undelivered"]
    assert application.requests_of("/status")[-1].params["ErrorCode"] == code
    assert server.carrier.account.messages.inbox(BOB) == []


async def test_a_phone_texts_the_application_and_gets_its_answer(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/sms"] = f"<Response><Message>{escape('Tom & Bob')}</Message></Response>"
    server.carrier.numbers[LINE] = Number(sms_url=f"{application.base_url}/sms")
    await text(server, "Hi 👋")
    assert await inbox(server, BOB) == ["Tom & Bob"]
    (received,) = application.requests_of("/sms")
    assert (received.params["Body"], received.params["From"], received.params["To"]) == ("Hi 👋", BOB, LINE)
    assert received.params["MessageSid"].startswith("SM")


async def test_after_stop_the_sender_is_refused_until_start(server: TwilioSimulator) -> None:
    await text(server, "Stop")
    with pytest.raises(TwilioRestException) as caught:
        await create(server)
    assert caught.value.code == 21610
    await create(server, from_=ALICE)
    await text(server, "please start")
    with pytest.raises(TwilioRestException):
        await create(server)
    await text(server, "START")
    await create(server)
    assert len(await inbox(server, BOB, 4)) == 4  # two automatic answers, two texts


async def test_a_response_can_come_late(server: TwilioSimulator) -> None:
    client = client_of(server, prefix="/fault/rest_late=400")
    creating = asyncio.create_task(asyncio.to_thread(lambda: client.messages.create(to=BOB, from_=LINE, body="Hello")))
    assert await inbox(server, BOB) == ["Hello"]
    assert not creating.done()
    await creating
