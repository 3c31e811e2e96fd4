"""Whole calls over the simulator of Twilio by callers who reach no person: what they say is stored and understood."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from agents.hours.models import SpecialDay
from agents.organizations.models import Organization, VoicemailUse
from recordings.files import read_file
from recordings.finishing.audio import read_audio
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from telephony.twilio.models import PhoneNumber
from telephony.twilio.voicemail.models import Voicemail
from voiceapp.simulators.twilio import Number, TwilioSimulator

from .conftest import ACCOUNT_SID, AUTH_TOKEN, Provider, in_a_thread

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.embedded]

CALLER = "+4917612345678"
SENTENCE = "Please call me back about my car."


@pytest_asyncio.fixture
async def carrier(
    line: PhoneNumber, product: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TwilioSimulator]:
    """The line at the carrier. No worker runs; `work` does what it would."""
    monkeypatch.setattr(outbox, "wake_up", lambda topic: None)
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path), ""
    async with TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as server:
        settings.TWILIO_BASE_URL = server.base_url
        server.carrier.numbers[line.number] = Number(voice_url=f"{product}/twiml/start?orgId={line.organization_id}")
        yield server
    await sync_to_async(connections.close_all)()


async def leave(carrier: TwilioSimulator, line: PhoneNumber, *steps: dict[str, object], **more: object) -> Call:
    call = await carrier.carrier.place_call(
        from_number=CALLER,
        to_number=line.number,
        steps=steps,
        noise=False,
        **more,  # type: ignore[arg-type]
    )
    async with asyncio.timeout(60):
        report = await call.done()
    assert report.notices == []
    await asyncio.sleep(1)  # Twilio's own callback
    return await Call.objects.aget(carrier_sid=call.sid)


async def work() -> None:
    await in_a_thread(lambda: outbox.process_due([f"voicemail.{topic}" for topic in ("fetch", "transcribe")]))


async def found(call: Call) -> Voicemail | None:
    return await Voicemail.objects.select_related("recording").filter(call=call).afirst()


async def close(line: PhoneNumber) -> None:
    await Organization.objects.filter(pk=line.organization_id).aupdate(voicemail=VoicemailUse.ALWAYS)
    for days in (-1, 0, 1):
        day = timezone.now().date() + dt.timedelta(days=days)
        await SpecialDay.objects.acreate(organization_id=line.organization_id, date=day)


async def test_outside_the_opening_hours_what_the_caller_says_is_stored_and_understood(
    carrier: TwilioSimulator, line: PhoneNumber
) -> None:
    await close(line)
    call = await leave(carrier, line, {"say": SENTENCE}, {"wait_s": 0.5}, {"press": "#"})
    assert (call.state, call.end_reason) == ("missed", "closed_hours")
    await work()
    voicemail = await found(call)
    assert voicemail is not None
    assert (voicemail.state, voicemail.why, voicemail.transcript) == ("stored", "closed", SENTENCE)
    assert voicemail.recording is not None
    assert 2000 < read_audio(read_file(voicemail.recording)).duration_ms < 6000


async def test_who_hangs_up_after_the_message_has_left_one(carrier: TwilioSimulator, line: PhoneNumber) -> None:
    await close(line)
    call = await leave(carrier, line, {"say": SENTENCE}, {"hang_up": True})
    await work()
    voicemail = await found(call)
    assert voicemail is not None
    assert voicemail.transcript == SENTENCE


async def test_who_hangs_up_during_the_tone_has_left_none(carrier: TwilioSimulator, line: PhoneNumber) -> None:
    await close(line)
    call = await leave(carrier, line, {"listen": 300}, {"hang_up": True})
    await work()
    assert await found(call) is None


async def test_who_says_nothing_has_left_none(carrier: TwilioSimulator, line: PhoneNumber) -> None:
    await close(line)
    call = await leave(carrier, line)
    await work()
    assert await found(call) is None
    assert [event.kind async for event in call.events.filter(kind="message_missing")] == ["message_missing"]


async def test_when_the_ai_provider_is_down_the_caller_hears_so_and_leaves_a_message(
    carrier: TwilioSimulator, line: PhoneNumber, settings: Settings, openai: Provider
) -> None:
    base_url, settings.OPENAI_BASE_URL = settings.OPENAI_BASE_URL, openai.url("refuse=403")
    call = await leave(carrier, line, {"say": SENTENCE}, {"press": "#"})
    settings.OPENAI_BASE_URL = base_url
    await work()
    voicemail = await found(call)
    assert voicemail is not None
    assert (voicemail.why, voicemail.transcript) == ("provider_failed", SENTENCE)


async def test_a_message_whose_reports_were_all_lost_is_found(carrier: TwilioSimulator, line: PhoneNumber) -> None:
    await close(line)
    call = await leave(carrier, line, {"say": SENTENCE}, {"hang_up": True}, faults=["recording_unreported"])
    assert await found(call) is None

    def work_later() -> None:
        outbox.model.objects.filter(topic="voicemail.look_for").update(due_at=timezone.now())
        outbox.process_due(["voicemail.look_for"])

    await in_a_thread(work_later)
    await work()
    voicemail = await found(call)
    assert voicemail is not None
    assert voicemail.transcript == SENTENCE
