"""Recordings are deleted at the age that their organization says, here and at their source; a hold stops it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings
from agents.tests.builders import make_organization
from recordings.files import store_file
from recordings.models import Recording
from recordings.spool.folder import spool_folder, spool_path
from recordings.tasks import purge_old_recordings
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from voiceapp.celery import app
from voiceapp.tests.dying import in_a_process_that_dies

from .places import keys_in_bucket

pytestmark = pytest.mark.django_db
State = Recording.State


@pytest.fixture
def harbour(on_disk: Path, settings: Settings) -> Organization:
    settings.TWILIO_ACCOUNT_SID = ""
    return make_organization("Harbour")


def record(organization: Organization | None, *, days: int, state: Recording.State = State.STORED) -> Recording:
    """A recording of so many days ago, with its file."""
    key = f"recordings/{days}-{state}.ogg"
    bucket = store_file(key, b"OggS", file_type="ogg")
    recording = Recording.objects.create(
        call=Call.objects.create(organization=organization), state=state, key=key, bucket=bucket
    )
    created_at = timezone.now() - dt.timedelta(days=days, hours=1)
    Recording.objects.filter(pk=recording.pk).update(created_at=created_at)
    return recording


def kept() -> set[int]:
    return set(Recording.objects.values_list("pk", flat=True))


def test_what_is_older_than_ninety_days_is_deleted_with_its_file(
    harbour: Organization, stored_keys_everywhere: Callable[[], list[str]]
) -> None:
    old, young = record(harbour, days=90), record(harbour, days=89)
    OutboxMessage.objects.create(topic="recording.finish", partition_key=f"recording:{old.pk}", body={})
    assert purge_old_recordings() == 1
    assert kept() == {young.pk}
    assert stored_keys_everywhere() == [young.key]
    assert not OutboxMessage.objects.exists()
    assert old.call.events.get().kind == "recording_deleted"
    assert purge_old_recordings() == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_the_file_and_its_row_leaves_the_row(
    harbour: Organization, stored_keys: Callable[[], list[str]]
) -> None:
    old = record(harbour, days=90)
    assert in_a_process_that_dies(purge_old_recordings, ("recordings.services.deleting", "delete_audio", "after"))
    assert (kept(), stored_keys()) == ({old.pk}, [])
    assert purge_old_recordings() == 1
    assert kept() == set()


def test_what_the_storage_does_not_delete_keeps_its_row(
    harbour: Organization, in_bucket: str, settings: Settings
) -> None:
    old = record(harbour, days=90)
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    assert purge_old_recordings() == 0
    assert kept() == {old.pk}
    settings.AWS_ENDPOINT_URL = in_bucket
    assert purge_old_recordings() == 1
    assert keys_in_bucket() == []


def test_each_organization_has_its_own_days(harbour: Organization) -> None:
    meadow, garden = make_organization("Meadow"), make_organization("Garden")
    PrivacySettings.objects.create(organization=meadow, recording_days=7)
    PrivacySettings.objects.create(organization=garden, recording_days=0)
    record(meadow, days=8)
    left = [record(meadow, days=6), record(garden, days=3000), record(harbour, days=8)]
    assert purge_old_recordings() == 1
    assert kept() == {each.pk for each in left}


def test_nothing_under_a_hold_is_deleted(harbour: Organization) -> None:
    PrivacySettings.objects.create(organization=harbour, recording_days=1, is_on_hold=True, hold_reason="A case")
    record(harbour, days=500)
    assert purge_old_recordings() == 0
    PrivacySettings.objects.update(is_on_hold=False)
    assert purge_old_recordings() == 1


def test_a_recording_that_is_being_made_stays_and_a_call_of_no_organization_goes(harbour: Organization) -> None:
    running = record(harbour, days=100, state=State.STORING)
    record(None, days=100)
    assert purge_old_recordings() == 1
    assert kept() == {running.pk}


def test_what_the_bridge_left_in_its_spool_goes_too(harbour: Organization, on_disk: Path) -> None:
    recording = record(harbour, days=100, state=State.FAILED)
    Recording.objects.filter(pk=recording.pk).update(source=Recording.Source.BRIDGE, external_id="0f3c-5a7e")
    spool_folder().mkdir()
    for name in ("0f3c-5a7e", "0f3c-5a7f"):
        spool_path(name).write_bytes(b"sound")
    assert purge_old_recordings() == 1
    assert [path.stem for path in spool_folder().iterdir()] == ["0f3c-5a7f"]


def test_what_cannot_be_deleted_at_twilio_is_tried_again(harbour: Organization, settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "0" * 32, "t" * 32
    settings.TWILIO_BASE_URL = "http://127.0.0.1:1"
    recording = record(harbour, days=100)
    Recording.objects.filter(pk=recording.pk).update(source=Recording.Source.TWILIO, external_id="RE" + "0" * 32)
    assert purge_old_recordings() == 0
    assert kept() == {recording.pk}
    with pytest.raises(CommandError, match="Not deleted"):
        call_command("purge_recordings", stdout=StringIO())
    settings.TWILIO_ACCOUNT_SID = ""
    assert purge_old_recordings() == 1


def test_the_command_says_what_it_would_delete(harbour: Organization) -> None:
    old = record(harbour, days=100)
    record(make_organization("Meadow"), days=100)
    out = StringIO()
    call_command("purge_recordings", "--dry-run", "--organization", "harbour", stdout=out)
    assert str(old.pk) in out.getvalue()
    assert "1 recordings would be deleted." in out.getvalue()
    assert len(kept()) == 2
    call_command("purge_recordings", "--organization", "harbour", stdout=StringIO())
    assert old.pk not in kept()
    assert len(kept()) == 1
    with pytest.raises(CommandError, match="no organization"):
        call_command("purge_recordings", "--organization", "nowhere", stdout=StringIO())


def test_the_schedule_has_it() -> None:
    assert "recordings.tasks.purge_recordings" in {each["task"] for each in app.conf.beat_schedule.values()}
