"""The rows of recordings that this server makes: from the first sound to the finishing, and what is left over."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from recordings.models import Recording
from recordings.services.bridge import (
    NOTHING_TAKEN,
    begin_bridge_recording,
    cancel_bridge_recording,
    end_bridge_recording,
    end_lost_recordings,
)
from recordings.sources.bridge import delete, fetch
from recordings.spool.folder import spool_path
from recordings.tasks import remove_spool_files
from sessions.calls.models import Call, CallEvent
from sessions.messages.models import OutboxMessage
from voiceapp.providers.errors import ProviderError

pytestmark = pytest.mark.django_db

State = Recording.State


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECORDINGS_DIR = str(tmp_path)
    spool_path("x").parent.mkdir()
    return tmp_path


@pytest.fixture
def phone_call(harbour: Organization) -> Call:
    return Call.objects.create(organization=harbour, state="connected", carrier_sid="CA1")


def begun(call: Call, *, starts_at_ms: int = 0) -> Recording:
    tape_id = uuid4().hex
    assert begin_bridge_recording(call.pk, tape_id=tape_id, starts_at_ms=starts_at_ms)
    return Recording.objects.get(external_id=tape_id)


def jobs() -> list[str]:
    return list(OutboxMessage.objects.filter(topic="recording.finish").values_list("partition_key", flat=True))


def test_the_row_is_there_from_the_start(phone_call: Call) -> None:
    recording = begun(phone_call)
    assert (recording.source, recording.state, recording.channels) == ("bridge", State.RECORDING, 2)
    assert recording.is_automatic
    assert begin_bridge_recording(phone_call.pk, tape_id=recording.external_id or "", starts_at_ms=0)
    assert Recording.objects.count() == 1
    assert CallEvent.objects.filter(call=phone_call, kind="recording_started").count() == 1


def test_a_call_that_another_source_records_is_not_recorded_here(phone_call: Call) -> None:
    Recording.objects.create(call=phone_call, source=Recording.Source.TWILIO, state=State.STARTING)
    assert not begin_bridge_recording(phone_call.pk, tape_id="t", starts_at_ms=0)
    assert Recording.objects.count() == 1


def test_its_end_hands_it_over_to_the_finishing_once(phone_call: Call) -> None:
    recording = begun(phone_call)
    assert end_bridge_recording(recording.external_id or "", has_sound=True, fault="")
    assert not end_bridge_recording(recording.external_id or "", has_sound=True, fault="")
    recording.refresh_from_db()
    assert (recording.state, recording.step, jobs()) == (State.STORING, "fetch", [f"recording:{recording.pk}"])
    assert recording.ended_at is not None


def test_without_a_sound_it_has_failed(phone_call: Call) -> None:
    for fault in ("", "No space left on device."):
        recording = begun(phone_call, starts_at_ms=len(fault))
        assert end_bridge_recording(recording.external_id or "", has_sound=False, fault=fault)
        recording.refresh_from_db()
        assert (recording.state, recording.error) == (State.FAILED, fault or NOTHING_TAKEN)
    assert jobs() == []


def test_a_canceled_one_is_not_finished(phone_call: Call) -> None:
    recording = begun(phone_call)
    assert cancel_bridge_recording(recording.external_id or "", reason="Not wanted.")
    assert not end_bridge_recording(recording.external_id or "", has_sound=True, fault="")
    recording.refresh_from_db()
    assert (recording.state, recording.error, jobs()) == (State.CANCELED, "Not wanted.", [])


def test_a_caller_who_comes_back_is_recorded_while_the_first_part_is_stored(phone_call: Call) -> None:
    first = begun(phone_call)
    end_bridge_recording(first.external_id or "", has_sound=True, fault="")
    second = begun(phone_call, starts_at_ms=45_000)
    assert (second.starts_at_ms, second.is_automatic) == (45_000, False)


def test_a_part_whose_process_died_ends_when_the_caller_comes_back(phone_call: Call) -> None:
    first = begun(phone_call)
    second = begun(phone_call, starts_at_ms=45_000)
    first.refresh_from_db()
    assert (first.state, second.state) == (State.STORING, State.RECORDING)


def test_a_recording_outlives_its_process_and_not_its_call(phone_call: Call) -> None:
    recording = begun(phone_call)
    assert end_lost_recordings() == 0
    Call.objects.filter(pk=phone_call.pk).update(state="failed", ended_at=timezone.now())
    assert end_lost_recordings() == 0
    Call.objects.filter(pk=phone_call.pk).update(ended_at=timezone.now() - dt.timedelta(minutes=3))
    assert (end_lost_recordings(), end_lost_recordings()) == (1, 0)
    assert jobs() == [f"recording:{recording.pk}"]


def test_no_file_is_left_without_a_recording_that_needs_it(phone_call: Call) -> None:
    names = []
    for number, state in enumerate(("storing", "failed", "recording", "stored", "canceled")):
        recording = begun(phone_call, starts_at_ms=number)
        names.append(recording.external_id or "")
        if state != "recording":
            # What failed at a step can be tried again.
            Recording.objects.filter(pk=recording.pk).update(state=state, step="fetch" if state == "failed" else "")
    for name in [*names, "orphan", "young"]:
        spool_path(name).write_bytes(b"x")
        if name != "young":
            os.utime(spool_path(name), (0, time.time() - 600))
    assert remove_spool_files() == 3
    # One that is being recorded ended when the call was recorded anew, and is being stored.
    assert {path.stem for path in spool_path("x").parent.iterdir()} == {*names[:3], "young"}


def test_a_file_that_is_not_there_or_none_of_ours_is_a_reason(phone_call: Call, folder: Path) -> None:
    recording = begun(phone_call)
    with pytest.raises(ProviderError, match="share RECORDINGS_DIR") as missing:
        fetch(recording, folder / "a.wav")
    spool_path(recording.external_id or "").write_bytes(b"RIFF")
    with pytest.raises(ProviderError, match="header") as other:
        fetch(recording, folder / "a.wav")
    assert (missing.value.permanent, other.value.permanent) == (False, True)
    delete(recording)
    delete(recording)
    assert not spool_path(recording.external_id or "").exists()
