"""A whole phone call that VAPI records: its file beside what both sides said and heard on the phone."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from recordings.finishing.audio import read_channel
from recordings.finishing.runs import finish_due
from recordings.models import Recording
from sessions.messages.outbox import outbox
from telephony.bridge.tests.alignment import pcm, shifts_ms
from telephony.events.inbox import inbox
from telephony.vapi.webhooks import vapi_threads
from voiceapp.management.demo.garage import make_garage
from voiceapp.simulators.twilio import TwilioSimulator
from voiceapp.simulators.vapi import VapiSimulator

from .conftest import ACCOUNT_SID, AUTH_TOKEN, in_a_thread
from .test_call_recording import recording_in, ring

# Stretches of 400 ms: VAPI stops elsewhere at each of two interruptions, and does not know when the phone has run dry.
MOST_ELSEWHERE = 4

# The way to VAPI and back, on a machine that has more to do.
MOST_LATE_MS = 250

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.sound, pytest.mark.embedded]


async def test_it_stands_where_the_caller_heard_the_agent(
    product: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for queue in (outbox, inbox):
        monkeypatch.setattr(queue, "wake_up", lambda topic: None)
    settings.RECORDINGS_DIR, settings.FINISHING_DIR = str(tmp_path / "kept"), str(tmp_path / "finishing")
    settings.SIMULATORS = ("vapi", "twilio")
    settings.VAPI_API_KEY, settings.VAPI_ASSISTANT_ID = "vapi-private-key", ""
    settings.VAPI_SERVER_SECRET = "the-secret-of-the-server-url-0123456789"
    demo = await in_a_thread(make_garage)
    await AgentVersion.objects.aupdate(recording="vapi")
    async with (
        VapiSimulator(keys=["vapi-private-key"]) as vapi,
        TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as carrier,
    ):
        settings.VAPI_BASE_URL, settings.TWILIO_BASE_URL = vapi.base_url, carrier.base_url
        phone = await ring(carrier, demo.number.number, product)
        await vapi.idle()
        await in_a_thread(lambda: inbox.process_due(["vapi"]))
        await recording_in(Recording.State.STORING)
        assert await in_a_thread(finish_due) == 1
    vapi_threads.close()
    recording = await Recording.objects.select_related("call").aget()
    assert (recording.source, recording.state, recording.channels) == ("vapi", "stored", 2)
    [stream] = phone.log.streams
    begin = (stream.began_ms or 0) + recording.starts_at_ms
    said, heard = (pcm(lane[8 * begin :]) for lane in (phone.line.said, phone.line.heard))
    caller, agent = (b"".join(read_channel(Path(settings.RECORDINGS_DIR) / recording.key, channel=at)) for at in (0, 1))
    found = shifts_ms(agent, heard, may_miss=MOST_ELSEWHERE)
    assert len(found) >= 4
    assert median(map(abs, found)) <= 20, found
    # At VAPI the caller is heard later, and the agent earlier, than on the phone; silence before VAPI was there is not
    # sent afterwards, so that the caller is late by no more than that.
    late_ms = max(0, round(shifts_ms(caller, said, reach_ms=MOST_LATE_MS)[0]))
    found = shifts_ms(caller[16 * late_ms :], said)
    assert len(found) >= 4
    assert max(map(abs, found)) <= 20, found
    await sync_to_async(connections.close_all)()
