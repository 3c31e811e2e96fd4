"""What a caller declined is deleted at LiveKit too, and whatever worker dies."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from recordings.backends import storage_of
from recordings.models import Recording
from recordings.services.bridge import begin_bridge_recording
from recordings.services.declining import DECLINE
from recordings.services.starting import start_recording
from recordings.spool.folder import spool_path
from sessions.calls.declined_recordings import DeclinedBy, decline_recording
from sessions.calls.models import Call, CallEvent
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.dying import Point, in_a_process_that_dies
from voiceapp.tests.waiting import soon

from .calls import becomes, only_recording

pytestmark = pytest.mark.django_db(transaction=True)

KILLS: list[Point] = [
    ("recordings.services.declining", "delete_audio", "before"),
    ("recordings.services.declining", "delete_audio", "after"),
]


def is_deleted() -> bool:
    OutboxMessage.objects.filter(topic=DECLINE).update(due_at=timezone.now())
    outbox.process_due([DECLINE])
    return CallEvent.objects.filter(kind="recording_deleted").exists()


def test_livekits_is_stopped_and_its_file_deleted_once_it_is_there(
    call: Call, client: LiveKitClient, livekit: RunningLiveKit, stored: str
) -> None:
    recording = start_recording(call)
    becomes(client, str(recording.external_id), EgressStatus.ACTIVE)
    livekit.advance(30)
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    soon(is_deleted)
    egress = client.find_recording(str(recording.external_id))
    assert egress is not None
    assert egress.status is EgressStatus.COMPLETE
    assert not storage_of(recording.bucket).exists(recording.key)
    left = only_recording()
    assert (left.state, left.key, left.step) == (Recording.State.CANCELED, "", "")


@pytest.mark.parametrize("point", KILLS, ids=str)
def test_a_worker_that_is_killed_leaves_the_deletion_to_the_next_one(
    harbour: Organization, settings: Settings, tmp_path: Path, point: Point
) -> None:
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path), ""
    call = Call.objects.create(organization=harbour, state="connected", carrier_sid="CA1")
    begin_bridge_recording(call.pk, tape_id="tape1", starts_at_ms=0)
    spool_path("tape1").parent.mkdir()
    spool_path("tape1").write_bytes(b"sound")
    decline_recording(call.pk, by=DeclinedBy.KEY)
    assert in_a_process_that_dies(lambda: outbox.process_due([DECLINE]), point)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1), tick=True):
        assert outbox.process_due([DECLINE]) == 1
    assert not spool_path("tape1").exists()
    assert CallEvent.objects.filter(kind="recording_deleted").count() == 1
