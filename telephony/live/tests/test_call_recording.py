"""Phone calls that this server records: what both sides said and heard beside what was recorded, over real sockets."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from recordings.finishing.runs import finish_due
from recordings.models import Recording
from recordings.services.bridge import ENDED_WITHIN, end_lost_recordings
from recordings.sources.bridge import fetch
from recordings.spool.folder import spool_folder
from sessions.calls.models import LIVE_STATES, Call, CallEvent
from sessions.messages.models import OutboxMessage
from telephony.bridge.tests.alignment import assert_channels_stand, assert_placed, lanes_of, pcm
from telephony.live import call_tape
from telephony.live.registry import live_calls
from telephony.twilio.models import PhoneNumber
from telephony.vapi.webhooks import vapi_threads
from voiceapp.management.demo.garage import make_garage
from voiceapp.simulators.twilio import Number, SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.caller_voice import synthesize
from voiceapp.simulators.vapi import VapiSimulator

from .conftest import ACCOUNT_SID, AUTH_TOKEN, call_of, end_of, in_a_thread
from .dialer import session_of
from .handset import Handset
from .served import served
from .steady_dialer import SteadyDialer

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.sound]

CALLER = "+4917612345678"
STEPS = (
    {"say": "I would like to order a pizza, please.", "interrupt_after_ms": 700},
    {"say": "Wait a minute, please.", "interrupt_after_ms": 900},
    {"listen": True},
    {"hang_up": True},
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.RECORDINGS_DIR = str(tmp_path)
    return tmp_path


@pytest_asyncio.fixture
async def recorded_line(line: PhoneNumber) -> PhoneNumber:
    """Alice's, whose calls this server records."""
    await AgentVersion.objects.aupdate(recording="bridge")
    return line


async def recording_in(state: Recording.State, *, within_s: float = 20) -> Recording:
    async with asyncio.timeout(within_s):
        while (found := await Recording.objects.filter(state=state).afirst()) is None:
            await asyncio.sleep(0.03)
    return found


async def lanes(recording: Recording, folder: Path) -> tuple[bytes, bytes]:
    """What the finishing gets."""
    wav = folder / "fetched.wav"
    await asyncio.to_thread(fetch, recording, wav)
    return lanes_of(wav)


async def ring(carrier: TwilioSimulator, number: str, product: str) -> SimulatedCall:
    carrier.carrier.numbers[number] = Number(
        voice_url=f"{product}/twiml/start", status_callback=f"{product}/twilio/call-status"
    )
    phone = await carrier.carrier.place_call(from_number=CALLER, to_number=number, steps=STEPS, noise=False)
    async with asyncio.timeout(90):
        await phone.done()
        while (await Call.objects.aget(carrier_sid=phone.sid)).state in LIVE_STATES:
            await asyncio.sleep(0.05)
    return phone


async def assert_recorded(phone: SimulatedCall, folder: Path) -> None:
    """Both lanes beside the phone's own, from the start of the stream to its end."""
    recording = await recording_in(Recording.State.STORING)
    assert (recording.source, recording.channels, recording.starts_at_ms) == ("bridge", 2, 0)
    [queued] = [each async for each in OutboxMessage.objects.filter(topic="recording.finish")]
    assert queued.partition_key == f"recording:{recording.pk}"
    caller, agent = await lanes(recording, folder)
    [stream] = phone.log.streams
    began_ms, ended_ms = stream.began_ms or 0, stream.ended_ms or 0
    said, heard = (lane[began_ms * 8 :] for lane in (phone.line.said, phone.line.heard))
    assert caller == pcm(said[: len(caller) // 2])
    assert len(caller) // 16 >= ended_ms - began_ms - 100
    assert_placed(agent, heard[: len(agent) // 2])
    call = await Call.objects.aget(carrier_sid=phone.sid)
    assert call.interruptions >= 1


async def assert_finished(phone: SimulatedCall, folder: Path) -> None:
    """What can be played in the end, an encoder later."""
    assert await in_a_thread(finish_due) == 1
    recording = await recording_in(Recording.State.STORED)
    assert (recording.error, recording.step, recording.channels) == ("", "", 2)
    assert not list(spool_folder().iterdir())
    [stream] = phone.log.streams
    begin = (stream.began_ms or 0) * 8
    assert_channels_stand(folder / recording.key, (phone.line.said[begin:], phone.line.heard[begin:]))


async def test_a_call_over_openai_is_recorded_as_both_heard_it(
    recorded_line: PhoneNumber, product: str, settings: Settings, folder: Path
) -> None:
    async with TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as carrier:
        settings.TWILIO_BASE_URL = carrier.base_url
        phone = await ring(carrier, recorded_line.number, product)
    await assert_recorded(phone, folder)
    await assert_finished(phone, folder)
    await sync_to_async(connections.close_all)()


async def test_a_call_over_vapi_is_recorded_as_both_heard_it(product: str, settings: Settings, folder: Path) -> None:
    demo = await in_a_thread(make_garage)
    settings.VAPI_API_KEY, settings.VAPI_ASSISTANT_ID = "vapi-private-key", ""
    settings.VAPI_SERVER_SECRET = "the-secret-of-the-server-url-0123456789"
    async with (
        VapiSimulator(keys=["vapi-private-key"]) as vapi,
        TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as carrier,
    ):
        settings.VAPI_BASE_URL, settings.TWILIO_BASE_URL = vapi.base_url, carrier.base_url
        phone = await ring(carrier, demo.number.number, product)
        await vapi.idle()
    vapi_threads.close()
    await assert_recorded(phone, folder)
    await sync_to_async(connections.close_all)()


async def test_a_call_of_a_dialer_whose_line_breaks_is_recorded_as_both_heard_it(
    recorded_line: PhoneNumber, product: str, folder: Path
) -> None:
    alice = await in_a_thread(lambda: session_of("alice", recorded_line.organization))
    dialer = SteadyDialer(product, recorded_line.organization.slug, session=alice)
    await dialer.dial()
    await dialer.until_heard(600)
    dialer.lose_line()
    await asyncio.sleep(1.2)
    await dialer.come_back()
    await dialer.is_back()
    await dialer.until_heard(1_000)
    dialer.speech += await asyncio.to_thread(synthesize, "I would like to order a pizza, please.")
    await dialer.until_heard(1_900)
    said_ms = dialer.now_ms
    await dialer.hang_up()
    recording = await recording_in(Recording.State.STORING)
    caller, agent = await lanes(recording, folder)
    assert len(caller) // 16 >= said_ms - 100
    assert caller == pcm(dialer.said[: len(caller) // 2])
    await dialer.end()
    call = await dialer.call()
    assert (recording.call_id, call.interruptions) == (call.pk, 1)
    await dialer.put_away()
    await sync_to_async(connections.close_all)()
    assert_placed(agent, dialer.heard[: len(agent) // 2])


async def test_a_call_whose_agent_says_so_is_not_recorded(handset: Handset) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=10)
    await handset.hang_up()
    assert not await Recording.objects.aexists()
    assert not spool_folder().exists()


async def test_a_killed_process_leaves_a_recording_up_to_its_last_seconds(
    recorded_line: PhoneNumber, product: str, folder: Path, unused_tcp_port: int
) -> None:
    alice = await in_a_thread(lambda: session_of("alice", recorded_line.organization))
    async with served(unused_tcp_port, RECORDINGS_DIR=folder) as process:
        dialer = SteadyDialer(process.address, recorded_line.organization.slug, session=alice)
        await dialer.dial()
        dialer.speech += await asyncio.to_thread(synthesize, "I would like to order a pizza, please.")
        await dialer.until_heard(1_500)
        process.send(signal.SIGKILL)
        await process.exit_status(within_s=10)
    call = await dialer.call()
    died_after_ms = dialer.now_ms
    assert await in_a_thread(end_lost_recordings) == 0  # the reaper has not closed the call yet
    ended_at = timezone.now() - ENDED_WITHIN * 2
    await Call.objects.filter(pk=call.pk).aupdate(state="failed", ended_at=ended_at)
    assert await in_a_thread(end_lost_recordings) == 1
    recording = await recording_in(Recording.State.STORING)
    caller, agent = await lanes(recording, folder)
    assert died_after_ms - 2_500 <= len(caller) // 16 <= died_after_ms
    assert caller == pcm(dialer.said[: len(caller) // 2])
    assert_placed(agent, dialer.heard[: len(agent) // 2])
    await dialer.put_away()


async def test_a_full_disk_ends_the_recording_and_not_the_call(
    recorded_line: PhoneNumber, handset: Handset, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "full.tape").symlink_to("/dev/full")
    monkeypatch.setattr(call_tape, "spool_path", lambda tape_id: folder / "full.tape")
    await handset.dial()
    recording = await recording_in(Recording.State.FAILED)
    assert recording.error == "No space left on device."
    assert await handset.hears_something(within_s=10)
    assert len(live_calls) == 1
    await handset.hang_up()
    assert await end_of(handset, within_s=10) == ("completed", "caller_hung_up")
    assert await CallEvent.objects.filter(call=await call_of(handset), kind="recording_failed").aexists()
