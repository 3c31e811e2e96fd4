"""Recordings of messages: reported some time after they were made, fetched, listed and deleted as at Twilio."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from voiceapp.simulators.twilio import Number, TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    FakeApplication,
    ReceivedRequest,
)

from .test_rest import ALICE, LINE, client_of

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

RECORD = (
    '<Response><Record action="/kept" timeout="1" playBeep="false" recordingStatusCallback="/recorded"'
    ' recordingStatusCallbackEvent="completed absent"/></Response>'
)
SAYS = [{"say": "Please call me back.", "listen": False}]


async def leave(
    server: TwilioSimulator, application: FakeApplication, steps: list[dict[str, object]], **more: object
) -> str:
    """The call's SID, when it is over."""
    application.twiml["/voice"] = RECORD
    application.twiml["/kept"] = "<Response><Hangup/></Response>"
    server.carrier.numbers[LINE] = Number(voice_url=application.voice_url)
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, steps=steps, noise=False, **more)  # type: ignore[arg-type]
    await call.done()
    return call.sid


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not claim():
            await asyncio.sleep(0.01)


def reports(application: FakeApplication) -> list[ReceivedRequest]:
    return application.requests_of("/recorded")


async def media(server: TwilioSimulator, sid: str, *faults: str) -> tuple[int, bytes]:
    key = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    prefix = "".join(f"/fault/{fault}" for fault in faults)
    url = f"{server.base_url}{prefix}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{sid}.wav"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Authorization": f"Basic {key}"}) as got:
        return got.status, await got.read()


async def test_a_message_is_reported_when_its_audio_can_be_fetched(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call_sid = await leave(server, application, SAYS)
    (kept,) = application.requests_of("/kept")
    sid = kept.params["RecordingSid"]
    assert (await media(server, sid))[0] == 404, "the action comes first"
    assert client_status(server, sid) == "processing"
    await until(lambda: reports(application))
    (report,) = reports(application)
    expected = {
        "CallSid": call_sid, "RecordingSid": sid, "RecordingStatus": "completed", "RecordingSource": "RecordVerb",
        "RecordingChannels": "1",
    }  # fmt: skip
    assert report.params.items() >= expected.items()
    validator = RequestValidator(AUTH_TOKEN)
    assert validator.validate(report.url, report.params, report.headers["x-twilio-signature"])
    status, audio = await media(server, sid)
    assert (status, audio[:4]) == (200, b"RIFF")


def client_status(server: TwilioSimulator, sid: str) -> str:
    return server.carrier.account.recordings[sid].status


async def test_a_caller_who_says_nothing_leaves_an_absent_recording(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    await leave(server, application, [])
    await until(lambda: reports(application))
    (report,) = reports(application)
    assert (report.params["RecordingStatus"], report.params["ErrorCode"]) == ("absent", "16102")
    assert application.requests_of("/kept") == []
    assert server.carrier.account.recordings == {}


async def test_who_hangs_up_during_the_tone_leaves_an_absent_recording(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = RECORD.replace(' playBeep="false"', "")
    server.carrier.numbers[LINE] = Number(voice_url=application.voice_url)
    call = await server.carrier.place_call(
        from_number=ALICE, to_number=LINE, steps=[{"wait_s": 0.2}, {"hang_up": True}]
    )
    await call.done()
    await until(lambda: reports(application))
    assert [each.params["RecordingStatus"] for each in reports(application)] == ["absent"]


async def test_reports_may_be_doubled_or_lost(server: TwilioSimulator, application: FakeApplication) -> None:
    await leave(server, application, SAYS, faults=["callbacks_doubled"])
    await until(lambda: len(reports(application)) == 2)
    application.requests.clear()
    call_sid = await leave(server, application, SAYS, faults=["recording_unreported"])
    await asyncio.sleep(0.7)
    assert (application.requests_of("/kept"), reports(application)) == ([], [])
    client = client_of(server)
    (found,) = await asyncio.to_thread(lambda: client.recordings.list(call_sid=call_sid))
    assert (found.status, found.source, found.call_sid) == ("completed", "RecordVerb", call_sid)


async def test_recordings_are_listed_shown_and_deleted(server: TwilioSimulator) -> None:
    account, client = server.carrier.account, client_of(server)
    mine, other = (account.keep_recording(f"CA{digit * 32}", b"\xff" * 16000) for digit in "12")
    found = await asyncio.to_thread(lambda: client.recordings.list(call_sid="CA" + "1" * 32))
    assert [each.sid for each in found] == [mine]
    assert (found[0].duration, found[0].channels) == ("2", 1)
    every = await asyncio.to_thread(lambda: client.recordings.list())
    assert {each.sid for each in every} == {mine, other}
    assert await asyncio.to_thread(client.recordings(mine).delete)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(client.recordings(mine).fetch)
    assert (caught.value.status, caught.value.code) == (404, 20404)
    with pytest.raises(TwilioRestException):
        await asyncio.to_thread(client.recordings(mine).delete)


async def test_faults_of_the_audio(server: TwilioSimulator) -> None:
    sid = server.carrier.account.keep_recording("CA" + "1" * 32, b"\xff" * 16000)
    _, whole = await media(server, sid)
    assert (await media(server, sid, "media_late=60000"))[0] == 404
    assert (await media(server, sid, "media_gone"))[0] == 404
    assert (await media(server, sid, "media_garbage"))[1].startswith(b"<html>")
    assert (await media(server, sid, "media_cut"))[1] == whole[: len(whole) // 2]
