"""A whole phone call that Twilio records: started, reported, fetched and stored, with both voices in it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from recordings.finishing.services import FINISH
from recordings.models import Recording
from recordings.services.automatic import START
from sessions.messages.outbox import outbox
from telephony.bridge.tests.alignment import assert_channels_stand
from telephony.events.inbox import inbox
from telephony.twilio.models import PhoneNumber
from voiceapp.simulators.twilio import Number, TwilioSimulator
from voiceapp.simulators.twilio.call_recording import CallRecording

from .conftest import ACCOUNT_SID, AUTH_TOKEN, in_a_thread

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.embedded]

CALLER = "+4917612345678"
MS = dt.timedelta(milliseconds=1)
# What the database and the way to Twilio take, on a machine that has more to do.
MOST_LATE_MS = 500


@pytest_asyncio.fixture
async def carrier(
    line: PhoneNumber, product: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TwilioSimulator]:
    """The line at the carrier. No worker runs; the test does what it would."""
    for queue in (outbox, inbox):
        monkeypatch.setattr(queue, "wake_up", lambda topic: None)
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path / "recordings"), ""
    settings.FINISHING_DIR = str(tmp_path / "finishing")
    async with TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as server:
        settings.TWILIO_BASE_URL = server.base_url
        server.carrier.numbers[line.number] = Number(voice_url=f"{product}/twiml/start?orgId={line.organization_id}")
        yield server
    await sync_to_async(connections.close_all)()


async def until(work: Callable[[], object]) -> None:
    """Blocking work, until it returns something."""
    async with asyncio.timeout(30):
        while not await in_a_thread(work):
            await asyncio.sleep(0.05)


async def test_both_voices_of_a_call_stand_where_they_were_heard(
    carrier: TwilioSimulator, line: PhoneNumber, settings: Settings
) -> None:
    await AgentVersion.objects.aupdate(recording="twilio")
    call = await carrier.carrier.place_call(
        from_number=CALLER,
        to_number=line.number,
        steps=[
            {"listen": True},
            {"say": "Good evening, are you open today?"},
            {"say": "Wait a minute, please.", "interrupt_after_ms": 900},
            {"listen": True},
            {"hang_up": True},
        ],
        noise=False,
    )
    await until(lambda: outbox.process_due([START]))
    learned_at = timezone.now()
    async with asyncio.timeout(60):
        report = await call.done()
    assert report.notices == []
    assert len(call.recordings) == 1
    # Twilio's callback, then the file.
    await until(lambda: inbox.process_due(["twilio"]) and Recording.objects.exclude(step="").exists())
    await until(lambda: outbox.process_due([FINISH]))
    recording = await Recording.objects.select_related("call").aget()
    assert (recording.state, recording.step, recording.channels) == ("stored", "", 2)
    assert recording.call.interruptions >= 1
    [stream], [file] = call.log.streams, call.recordings
    [started] = [event for event in call.log.events if event.what == "recording_started"]
    assert isinstance(file, CallRecording)
    assert recording.call.connected_at is not None
    # It is placed by when we noticed both: that the stream began, and, from Twilio's response, that the recording did.
    into_stream = dt.timedelta(milliseconds=started.at_ms - (stream.began_ms or 0))
    noticed_stream_ms = (recording.call.connected_at - (file.began_at - into_stream)) / MS
    noticed_recording_ms = (learned_at - file.began_at) / MS
    assert max(noticed_stream_ms, noticed_recording_ms) < MOST_LATE_MS
    late_ms = recording.starts_at_ms - into_stream / MS
    assert -20 - max(0, noticed_stream_ms) <= late_ms <= 20 + noticed_recording_ms
    begin = started.at_ms * 8
    lanes = call.line.said[begin:], call.line.heard[begin:]
    assert_channels_stand(Path(settings.RECORDINGS_DIR) / recording.key, lanes)
