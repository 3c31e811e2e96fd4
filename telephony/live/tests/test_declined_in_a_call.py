"""A caller does not want to be recorded, and presses a key or says so: the recording goes, the call goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from agents.privacy.models import PrivacySettings
from recordings.models import Recording
from recordings.services.declining import DECLINE, DECLINED, STOPPED_AND_DELETED
from recordings.spool.folder import spool_folder, spool_path
from sessions.calls.models import CallEvent, TranscriptLine
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from telephony.live.registry import live_calls
from telephony.twilio.models import PhoneNumber

from .conftest import in_a_thread
from .handset import Handset
from .scripted_provider import provider_that_requests

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]

ANNOUNCEMENT, HINT = "This call is recorded.", "Press 9 if you do not want that."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.RECORDINGS_DIR = str(tmp_path)
    return tmp_path


@pytest_asyncio.fixture
async def recorded_line(line: PhoneNumber) -> PhoneNumber:
    await AgentVersion.objects.aupdate(recording="bridge", greeting="Hello.")
    await PrivacySettings.objects.acreate(
        organization=line.organization, announcement=ANNOUNCEMENT, stop_key="9", stop_hint=HINT,
        deletes_declined_words=False,  # what the agent says is read in the transcript
    )  # fmt: skip
    return line


async def path_of_recording() -> Path:
    """As soon as something of it is on the disk."""
    async with asyncio.timeout(20):
        while (recording := await Recording.objects.filter(state="recording").afirst()) is None:
            await asyncio.sleep(0.03)
        path = spool_path(recording.external_id or "")
        while not path.exists():
            await asyncio.sleep(0.03)
    return path


async def is_gone(path: Path) -> None:
    """By the process that carries the call, while the call goes on. No worker runs."""
    async with asyncio.timeout(20):
        while path.exists():
            await asyncio.sleep(0.03)
    recording = await Recording.objects.aget()
    assert (recording.state, recording.error) == ("canceled", DECLINED)
    assert len(live_calls) == 1
    assert await OutboxMessage.objects.filter(topic=DECLINE, state="waiting").acount() == 1


async def leaves_nothing(handset: Handset) -> None:
    await handset.hang_up()
    async with asyncio.timeout(20):
        while live_calls:
            await asyncio.sleep(0.03)
    assert not list(spool_folder().iterdir())
    assert await in_a_thread(lambda: outbox.process_due([DECLINE])) == 1
    assert (await Recording.objects.aget()).state == "canceled"
    assert await CallEvent.objects.filter(kind="recording_deleted").acount() == 1


async def test_a_key_of_the_phone_stops_it_and_the_agent_says_so(recorded_line: PhoneNumber, handset: Handset) -> None:
    await handset.dial()
    path = await path_of_recording()
    await handset.press("9")
    await is_gone(path)
    declined = await CallEvent.objects.aget(kind="recording_declined")
    assert declined.detail == {"by": "key"}
    async with asyncio.timeout(30):
        while not await TranscriptLine.objects.filter(text=STOPPED_AND_DELETED).aexists():
            await asyncio.sleep(0.05)
    said = [line.text async for line in TranscriptLine.objects.order_by("spoken_at_ms")]
    assert said == [f"{ANNOUNCEMENT} {HINT} Hello.", STOPPED_AND_DELETED]
    await leaves_nothing(handset)


async def test_the_agent_stops_it_by_its_tool(recorded_line: PhoneNumber, handset: Handset, settings: Settings) -> None:
    async with provider_that_requests() as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.dial()
        path = await path_of_recording()
        provider.tools = [("stop_recording", {})]
        await handset.press("5")
        await provider.until_answered(1, within_s=20)
        assert provider.outputs == [{"ok": True, "say": STOPPED_AND_DELETED, "recording": "deleted"}]
        await is_gone(path)
        await leaves_nothing(handset)
