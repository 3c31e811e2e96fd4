"""A person in a room orders by voice from the agent of a real worker: nothing but audio goes in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from recordings.finishing.audio import read_audio, read_channel
from recordings.finishing.placing import start_by_agent
from recordings.models import Recording
from recordings.services.declining import STOPPED_AND_DELETED
from recordings.sources.room_agent import fetch, folder_of
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, TranscriptLine, Turn
from sessions.messages.outbox import outbox
from sessions.orders.models import Order
from sessions.rooms.services.calls import WantedCall, end_room_call, open_room_call
from sessions.rooms.services.room_state import TOPIC as ROOM_STATE
from telephony.bridge.tests.alignment import shifts_apart_ms
from voiceapp.console.live_calls.services import whisper
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests.database import database_url
from voiceapp.tests.waiting import soon

from .caller import RoomCaller, room_caller

pytestmark = [
    pytest.mark.asyncio, pytest.mark.sound, pytest.mark.embedded, pytest.mark.waits, pytest.mark.timeout(240),
    pytest.mark.django_db(transaction=True),
]  # fmt: skip

P = ParamSpec("P")
T = TypeVar("T")

KEY = "sk-of-the-room-agent"
READY = b"Registered as"
# No sentence is found so far from its place by chance.
NOWHERE_MS = 1_500
# Of each voice so many stretches of 0.4 s may sound otherwise: WebRTC stretches or shortens what it catches up with.
STRETCHED = 15


@contextlib.contextmanager
def agent_worker(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py run_agent`, registered; ended by SIGTERM."""
    log = folder / "agent.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_agent"], cwd=django_settings.BASE_DIR, stdout=output, stderr=output,
            env=os.environ | {"DATABASE_URL": database_url(), "REDIS_URL": "", "PYTHONUNBUFFERED": "1"} | environment,
            start_new_session=True,
        )  # fmt: skip
    try:
        soon(lambda: READY in log.read_bytes() or process.poll() is not None, within_s=60, every_s=0.1)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
            # No process of a job is left, whatever became of its call.
            soon(lambda: not _has_processes(process.pid), every_s=0.1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _has_processes(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


async def in_a_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await sync_to_async(work, thread_sensitive=False)(*args, **kwargs)


async def test_an_order_is_placed_by_voice(livekit: RunningLiveKit, settings: Settings, tmp_path: Path) -> None:
    await in_a_thread(call_command, "seed_demo", "--json")
    organization = await Organization.objects.aget()
    settings.OPENAI_API_KEY = KEY
    settings.RECORDINGS_DIR = str(tmp_path / "recordings")
    with running_openai(keys=[KEY]) as openai:
        settings.OPENAI_BASE_URL = openai.base_url
        environment = {
            "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url, "LIVEKIT_HOST": livekit.url,
            "LIVEKIT_API_KEY": settings.LIVEKIT_API_KEY, "LIVEKIT_API_SECRET": settings.LIVEKIT_API_SECRET,
            "RECORDINGS_DIR": settings.RECORDINGS_DIR,
        }  # fmt: skip
        worker = agent_worker(tmp_path, environment)
        await in_a_thread(worker.__enter__)
        try:
            caller = await _order(livekit, organization)
            await in_a_thread(_is_recorded, tmp_path / "call.ogg", caller)
            await _decline(livekit, organization)
        finally:
            await in_a_thread(worker.__exit__, None, None, None)
    await sync_to_async(connections.close_all)()


async def _order(livekit: RunningLiveKit, organization: Organization) -> RoomCaller:
    """The caller interrupts the agent once."""
    principal = Principal("user_alice", frozenset({organization.pk}), kind=Kind.CLERK, organization_id=organization.pk)
    opened = await in_a_thread(open_room_call, principal, WantedCall())
    assert opened.call.is_recording_wanted
    async with room_caller(livekit.url, opened.ticket.token) as caller:
        await caller.hears_to_the_end()
        caller.say("Two small funghi, please.")
        while not caller.has_spoken:
            await asyncio.sleep(0.02)
        await caller.interrupts("That's all.", after_s=0.8)
        for _ in range(3):  # as a caller does who is read the order once more
            await caller.tells("Yes, please.")
            if await Order.objects.filter(call_id=opened.call.pk).aexists():
                break
        assert "listening" in caller.states
        assert "speaking" in caller.states
        assert "funghi" in caller.said_by("ai-agent").lower()
        assert "funghi" in caller.said_by("caller").lower()
    call = await Call.objects.aget(pk=opened.call.pk)
    order = await Order.objects.aget(call=call)
    assert order.total
    lines = [line async for line in TranscriptLine.objects.filter(call=call)]
    assert lines[0].speaker == "agent"
    assert any("funghi" in line.text.lower() for line in lines if line.speaker == "caller")
    assert await Turn.objects.filter(call=call, response_ms__isnull=False).acount() >= 2
    await in_a_thread(end_room_call, call, reason=EndReason.ENDED_BY_REQUEST)
    await in_a_thread(LiveKitClient.from_settings().delete_room, str(call.room_name))
    return caller


async def _decline(livekit: RunningLiveKit, organization: Organization) -> None:
    """An operator whispers. Another caller does not want to be recorded: the agent's file goes, the call goes on."""
    principal = Principal("user_bob", frozenset({organization.pk}), kind=Kind.CLERK, organization_id=organization.pk)
    opened = await in_a_thread(open_room_call, principal, WantedCall())
    of_call = Recording.objects.filter(call_id=opened.call.pk)
    async with room_caller(livekit.url, opened.ticket.token) as caller:
        await caller.hears_to_the_end()
        await in_a_thread(whisper, opened.call, "Offer the lemon cake.", by="alice")
        await in_a_thread(outbox.process_due, [ROOM_STATE])
        hints = opened.call.events.filter(kind="hint_given")
        await in_a_thread(soon, hints.exists, within_s=10)
        recording = await of_call.aget(state="recording")
        folder = folder_of(str(recording.external_id))
        await in_a_thread(soon, lambda: folder.exists() and any(folder.iterdir()), within_s=30)
        [file] = folder.iterdir()
        await caller.types("Please don't record this.")
        await in_a_thread(soon, lambda: of_call.filter(state="canceled").exists(), within_s=30)
        await in_a_thread(soon, lambda: not file.exists(), within_s=30)
        await caller.hears_to_the_end()
        assert STOPPED_AND_DELETED in caller.said_by("ai-agent")
    await in_a_thread(end_room_call, opened.call, reason=EndReason.ENDED_BY_REQUEST)
    await in_a_thread(LiveKitClient.from_settings().delete_room, str(opened.call.room_name))


def _is_recorded(path: Path, spoken: RoomCaller) -> None:
    """By the agent: the caller on one channel, the agent on the other, from the first word to the last."""
    recording = soon(lambda: Recording.objects.select_related("call").exclude(step="").first(), within_s=30)
    assert (recording.source, recording.state, recording.is_automatic) == ("room_agent", "storing", True)
    fetch(recording, path)
    lanes = [b"".join(read_channel(path, channel=channel)) for channel in (0, 1)]
    # The simulator forwards in Python, and holds sound back where no buffer counts it when it has no time. Exact with a
    # real server: telephony/livekit/tests/test_voices_in_place.py.
    shifts = shifts_apart_ms(lanes, spoken.lanes(), may_miss=STRETCHED)
    near = [each for of_lane in shifts for each in of_lane if abs(each) <= 20]
    assert len(near) >= sum(map(len, shifts)) * 2 / 3, shifts
    # What the agent said stands where the transcript has it.
    said = list(recording.call.lines.filter(speaker="agent").values_list("spoken_at_ms", flat=True))
    found = start_by_agent(read_audio(path), said, near_ms=recording.starts_at_ms - NOWHERE_MS)
    assert found == pytest.approx(recording.starts_at_ms, abs=20)
