"""The REST API of live calls, requested by Twilio's own client library."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from voiceapp.simulators.twilio import Answers, Number, SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import ACCOUNT_SID, AUTH_TOKEN, FakeApplication

pytestmark = pytest.mark.asyncio

ALICE, LINE, BOB = "+15550001111", "+15550002222", "+15550003333"


class Redirected(TwilioHttpClient):  # type: ignore[misc]  # untyped there
    """Twilio's client with its host replaced."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=10)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        return super().request(method, url.replace("https://api.twilio.com", self._base_url), *args, **kwargs)


def client_of(server: TwilioSimulator, *, token: str = AUTH_TOKEN, prefix: str = "") -> Client:
    return Client(ACCOUNT_SID, token, http_client=Redirected(server.base_url + prefix))


async def waiting_call(server: TwilioSimulator, application: FakeApplication, twiml: str = "") -> SimulatedCall:
    application.twiml["/voice"] = twiml or '<Response><Pause length="60"/></Response>'
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, voice_url=application.voice_url)
    async with asyncio.timeout(5):
        while call.status.value != "in-progress":
            await asyncio.sleep(0.01)
    return call


async def test_the_resource_of_a_live_call_and_of_a_completed_one(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await waiting_call(server, application)
    calls = client_of(server).calls(call.sid)
    shown = await asyncio.to_thread(calls.fetch)
    assert (shown.status, shown.direction, shown.to, shown.duration) == ("in-progress", "inbound", LINE, None)
    assert shown.start_time is not None
    await asyncio.to_thread(lambda: calls.update(status="completed"))
    report = await call.done()
    assert (report.ended_by, report.status) == ("rest", "completed")
    shown = await asyncio.to_thread(calls.fetch)
    assert (shown.status, shown.duration) == ("completed", "0")
    assert shown.end_time is not None


async def test_a_call_is_deleted_once_it_is_over(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await waiting_call(server, application)
    calls = client_of(server).calls(call.sid)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(calls.delete)
    assert (refused.value.status, refused.value.code) == (409, 20009)
    await asyncio.to_thread(lambda: calls.update(status="completed"))
    await call.done()
    assert await asyncio.to_thread(calls.delete)
    with pytest.raises(TwilioRestException) as unknown:
        await asyncio.to_thread(calls.fetch)
    assert unknown.value.status == 404


async def test_hanging_up_a_stream_sends_stop_and_closes_it(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await waiting_call(server, application, application.stream())
    while not application.ends:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(lambda: client_of(server).calls(call.sid).update(status="completed"))
    report = await call.done()
    assert len(application.ends[0].of("stop")) == 1
    assert report.streams[0].close_code in (1000, 1005)
    assert application.requests_of("/after") == [], "the call is over: nothing is received any more"


async def test_new_twiml_replaces_the_running_document(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await waiting_call(server, application, application.stream())
    while not application.ends:
        await asyncio.sleep(0.01)
    twiml = "<Response><Say>Goodbye.</Say></Response>"
    await asyncio.to_thread(lambda: client_of(server).calls(call.sid).update(twiml=twiml))
    report = await call.done()
    assert len(application.ends[0].of("stop")) == 1
    assert report.agent_speech
    assert report.ended_by == "application"


async def test_a_new_url_is_requested_and_executed(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await waiting_call(server, application)
    url = f"{application.base_url}/instead?x=1"
    await asyncio.to_thread(lambda: client_of(server).calls(call.sid).update(url=url))
    await call.done()
    assert [received.url for received in application.requests_of("/instead")] == [url]


async def test_errors_are_twilios(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await waiting_call(server, application)

    async def code_of(client: Client, sid: str, **update: str) -> tuple[int, int | None]:
        with pytest.raises(TwilioRestException) as caught:
            await asyncio.to_thread(lambda: client.calls(sid).update(**update) if update else client.calls(sid).fetch())
        return caught.value.status, caught.value.code

    client = client_of(server)
    assert await code_of(client_of(server, token="wrong"), call.sid) == (401, 20003)
    assert await code_of(client, "CA" + "0" * 32) == (404, 20404)
    assert await code_of(client, call.sid, status="canceled") == (400, 21220)
    assert await code_of(client, call.sid, twiml="<Resp") == (400, 12100)
    call.hang_up(by="caller")
    await call.done()
    assert await code_of(client, call.sid, status="completed") == (400, 21220)
    assert await code_of(client, call.sid, twiml="<Response/>") == (400, 21220)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: client.calls.create(to="", from_=LINE, url="http://127.0.0.1/"))
    assert caught.value.code == 21201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "030 5550199"}, 21211),
        ({"to": "anonymous"}, 21211),
        ({"from_": "client:alice"}, 21212),
        ({"from_": "sip:alice@example.com"}, 21212),
        ({"url": "ftp://example.com/voice"}, 21205),
        ({"url": "voice"}, 21205),
        ({"status_callback": "nowhere"}, 21609),
        ({"method": "PATCH"}, 21209),
        ({"timeout": 0}, 21208),
        ({"timeout": 601}, 21208),
        ({"url": None, "twiml": "<Response>" + " " * 4000 + "</Response>"}, 21605),
    ],
)
async def test_an_invalid_call_is_rejected(server: TwilioSimulator, changes: dict[str, object], code: int) -> None:
    given = {"to": BOB, "from_": LINE, "url": "http://127.0.0.1/voice"} | changes
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: client_of(server).calls.create(**given))
    assert (caught.value.status, caught.value.code) == (400, code)


async def test_an_outbound_call_rings_a_phone_and_reports_each_status(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[BOB] = Number(says="Yes?", stays_s=0.2)
    created = await asyncio.to_thread(
        lambda: client_of(server).calls.create(
            to=BOB,
            from_=LINE,
            url=application.voice_url,
            status_callback=f"{application.base_url}/status",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
    )
    assert (created.status, created.direction) == ("queued", "outbound-api")
    assert created.sid
    application.twiml["/voice"] = '<Response><Pause length="5"/></Response>'
    await server.carrier.calls[created.sid].done()
    (received,) = application.requests_of("/voice")
    assert (received.params["CallStatus"], received.params["Direction"]) == ("in-progress", "outbound-api")
    callbacks = application.requests_of("/status")
    assert [each.params["CallStatus"] for each in callbacks] == ["initiated", "ringing", "in-progress", "completed"]
    assert [each.params["SequenceNumber"] for each in callbacks] == ["0", "1", "2", "3"]
    assert callbacks[-1].params["CallDuration"] in ("0", "1", "2")
    assert "CallDuration" not in callbacks[0].params
    validator = RequestValidator(AUTH_TOKEN)
    assert all(validator.validate(each.url, each.params, each.headers["x-twilio-signature"]) for each in callbacks)


async def test_an_unanswered_outbound_call_can_be_canceled(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[BOB] = Number(answers=Answers.NO_ANSWER)
    client = client_of(server)
    created = await asyncio.to_thread(lambda: client.calls.create(to=BOB, from_=LINE, twiml="<Response/>"))
    assert created.sid
    await asyncio.to_thread(lambda: client.calls(created.sid).update(status="canceled"))
    report = await server.carrier.calls[created.sid].done()
    assert report.status == "canceled"


async def test_an_inbound_call_canceled_before_the_webhook_returns(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.slow_s = 1
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, voice_url=application.voice_url)
    await asyncio.sleep(0.1)
    call.hang_up(by="caller")
    assert (await call.done()).status == "canceled"


async def test_an_outbound_call_hung_up_during_the_webhook_is_completed(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.slow_s = 1
    server.carrier.numbers[BOB] = Number(answers_after_ms=0)
    client = client_of(server)
    created = await asyncio.to_thread(lambda: client.calls.create(to=BOB, from_=LINE, url=application.voice_url))
    assert created.sid
    await asyncio.sleep(0.2)
    await asyncio.to_thread(lambda: client.calls(created.sid).update(status="completed"))
    assert (await server.carrier.calls[created.sid].done()).status == "completed"


async def test_faults_of_the_rest_api_by_url(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await waiting_call(server, application)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(client_of(server, prefix="/fault/rest_500").calls(call.sid).fetch)
    assert caught.value.status == 500
    began_s = time.monotonic()
    await asyncio.to_thread(client_of(server, prefix="/fault/rest_slow=300").calls(call.sid).fetch)
    assert time.monotonic() - began_s >= 0.3


async def test_a_recording_is_fetched_with_the_accounts_key_only(server: TwilioSimulator) -> None:
    sid = server.carrier.account.keep_recording("CA" + "1" * 32, b"\xff" * 8000)
    url = f"{server.base_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{sid}"
    key = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 401
        for suffix in ("", ".wav"):
            async with session.get(url + suffix, headers={"Authorization": f"Basic {key}"}) as response:
                assert (await response.read()).startswith(b"RIFF")
