"""Recordings of calls over REST: both directions are in the file, and every state is reported as Twilio does."""

from __future__ import annotations

import asyncio
import base64
import io
import wave

import aiohttp
import numpy as np
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from voiceapp.simulators.twilio import SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import ACCOUNT_SID, AUTH_TOKEN, FakeApplication, ReceivedRequest

from .test_recordings import until
from .test_rest import ALICE, LINE, client_of

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

BOTH = {"recording_channels": "dual", "recording_track": "both"}
EVENTS = ["in-progress", "completed", "absent"]
SAYS = f"<Response>{'<Say>Welcome to our restaurant.</Say>' * 20}</Response>"


async def answered(
    server: TwilioSimulator, application: FakeApplication, twiml: str = SAYS, **more: object
) -> SimulatedCall:
    application.twiml["/voice"] = twiml
    call = await server.carrier.place_call(
        from_number=ALICE,
        to_number=LINE,
        voice_url=application.voice_url,
        noise=False,
        **more,  # type: ignore[arg-type]
    )
    await until(lambda: call.status.value == "in-progress")
    return call


def record(client: Client, call: SimulatedCall, application: FakeApplication, **wanted: object) -> str:
    """The SID."""
    callback = {
        "recording_status_callback": f"{application.base_url}/recorded",
        "recording_status_callback_event": EVENTS,
    }
    return str(client.calls(call.sid).recordings.create(**(callback | wanted)).sid)


def reports(application: FakeApplication) -> list[ReceivedRequest]:
    return application.requests_of("/recorded")


def statuses(application: FakeApplication) -> list[str]:
    return [each.params["RecordingStatus"] for each in reports(application)]


async def media(server: TwilioSimulator, sid: str, query: str = "") -> tuple[int, bytes]:
    key = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    url = f"{server.base_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{sid}.wav{query}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Authorization": f"Basic {key}"}) as got:
        return got.status, await got.read()


def channels(content: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(content)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels()).T


async def test_both_directions_are_recorded_in_two_channels(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await answered(server, application)
    sid = await asyncio.to_thread(lambda: record(client_of(server), call, application, **BOTH))
    await until(lambda: statuses(application) == ["in-progress"])
    assert (await media(server, sid))[0] == 404, "it is not over"
    await until(lambda: call.recordings[-1].has_audio)
    call.add_steps([{"say": "I am hungry.", "listen": False}, {"hang_up": True}])
    await call.done()
    await until(lambda: len(reports(application)) == 2)
    completed = reports(application)[-1]
    expected = {
        "CallSid": call.sid, "RecordingSid": sid, "RecordingStatus": "completed", "RecordingChannels": "2",
        "RecordingSource": "StartCallRecordingAPI", "RecordingTrack": "both",
    }  # fmt: skip
    assert completed.params.items() >= expected.items()
    validator = RequestValidator(AUTH_TOKEN)
    assert validator.validate(completed.url, completed.params, completed.headers["x-twilio-signature"])
    status, content = await media(server, sid, "?RequestedChannels=2")
    assert status == 200
    caller, heard = channels(content)
    line_heard = channels(call.recording)[1]
    # What the caller heard, sample by sample, from where the recording began.
    begin = len(line_heard) - len(heard)
    assert begin >= 0
    assert np.array_equal(heard, line_heard[begin:])
    assert np.array_equal(caller, channels(call.recording)[0][begin:])
    assert np.abs(caller).max() > 1000 < np.abs(heard).max()
    assert len(channels((await media(server, sid, "?RequestedChannels=1"))[1])) == 1


async def test_a_recording_is_stopped_paused_and_deleted(server: TwilioSimulator, application: FakeApplication) -> None:
    call, client = await answered(server, application), client_of(server)
    sid = await asyncio.to_thread(lambda: record(client, call, application, **BOTH))
    of_call = client.calls(call.sid).recordings
    await asyncio.to_thread(lambda: of_call(sid).update(status="paused"))
    shown = await asyncio.to_thread(of_call(sid).fetch)
    assert (shown.status, shown.source) == ("paused", "StartCallRecordingAPI")
    await asyncio.to_thread(lambda: of_call("Twilio.CURRENT").update(status="in-progress"))
    await until(lambda: call.recordings[-1].has_audio)
    await asyncio.to_thread(lambda: of_call(sid).update(status="stopped"))
    await until(lambda: statuses(application) == ["in-progress", "completed"])
    call.hang_up(by="caller")
    await call.done()
    assert statuses(application) == ["in-progress", "completed"], "it ended once"
    (found,) = await asyncio.to_thread(lambda: client.recordings.list(call_sid=call.sid))
    assert (found.sid, found.status, found.channels) == (sid, "completed", 2)
    assert await asyncio.to_thread(client.recordings(sid).delete)
    assert (await media(server, sid))[0] == 404


async def test_a_silent_or_short_recording_is_absent(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await answered(server, application, '<Response><Pause length="60"/></Response>')
    await asyncio.to_thread(lambda: record(client_of(server), call, application, **BOTH))
    began_ms = call.line.now_ms
    await until(lambda: call.line.now_ms > began_ms + 400)
    call.hang_up(by="caller")
    await call.done()
    await until(lambda: len(reports(application)) == 2)
    assert (statuses(application)[-1], reports(application)[-1].params["ErrorCode"]) == ("absent", "16102")


async def test_what_twilio_refuses(server: TwilioSimulator, application: FakeApplication) -> None:
    call, client = await answered(server, application), client_of(server)

    async def refused(**wanted: object) -> int:
        with pytest.raises(TwilioRestException) as caught:
            await asyncio.to_thread(lambda: record(client, call, application, **wanted))
        return int(caught.value.code)

    assert await refused(recording_channels="stereo") == 20001
    assert await refused(recording_track="left") == 20001
    assert await refused(recording_status_callback="ftp://example.com") == 21609
    assert await refused(recording_status_callback_event=["over"]) == 20001
    mono = await asyncio.to_thread(lambda: record(client, call, application))
    await until(lambda: call.recordings[-1].has_audio)
    call.hang_up(by="caller")
    await call.done()
    assert await refused(**BOTH) == 21220
    await until(lambda: "completed" in statuses(application))
    assert (await media(server, mono, "?RequestedChannels=2"))[0] == 400
    assert len(channels((await media(server, mono))[1])) == 1
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: client.calls("CA" + "9" * 32).recordings.create())
    assert caught.value.code == 20404


async def test_reports_may_be_lost(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await answered(server, application, faults=["recording_unreported"])
    sid = await asyncio.to_thread(lambda: record(client_of(server), call, application, **BOTH))
    await until(lambda: call.recordings[-1].has_audio)
    call.hang_up(by="caller")
    await call.done()
    await until(lambda: call.account.recordings[sid].status == "completed")
    assert reports(application) == []
