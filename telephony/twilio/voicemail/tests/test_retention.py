"""Old messages are removed, here and at Twilio, by each organization's own age; a failure is repeated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db.models import F
from moto import mock_aws
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings
from recordings.files import delete_file, read_file, store_file
from recordings.models import Recording
from sessions.calls.models import Call
from sessions.tests.builders import make_endpoint
from telephony.tasks import remove_voicemail_by_age
from telephony.twilio.models import PhoneNumber
from telephony.twilio.tests.conftest import Twilio
from telephony.twilio.voicemail import retention
from telephony.twilio.voicemail.models import Voicemail
from telephony.twilio.voicemail.services import LOOK_FOR
from voiceapp.celery import app
from voiceapp.providers.aws.client import aws_client
from voiceapp.providers.errors import ProviderError
from voiceapp.simulators.twilio.tests.running import RunningTwilio
from voiceapp.tests.dying import Point, in_a_process_that_dies

from .conftest import jobs, keep, report, work

pytestmark = pytest.mark.django_db(transaction=True)

RETENTION = "telephony.twilio.voicemail.retention"


def ages(days: int) -> None:
    Voicemail.objects.update(created_at=F("created_at") - dt.timedelta(days=days))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def at_twilio(carrier: RunningTwilio) -> int:
    return carrier.do(lambda server: len(server.carrier.account.recordings))


def test_a_message_is_removed_with_everything_of_it(
    stored: Callable[..., Voicemail], line: PhoneNumber, carrier: RunningTwilio, own_folder: Path
) -> None:
    make_endpoint(line.organization, events=("voicemail.",))
    stored()
    assert jobs("post")
    ages(89)
    assert remove_voicemail_by_age() == 0
    ages(2)
    assert remove_voicemail_by_age() == 1
    assert (Voicemail.objects.count(), Recording.objects.count()) == (0, 0)
    assert (files(own_folder), at_twilio(carrier)) == ([], 0)
    assert jobs("fetch") == jobs("post") == jobs("transcribe") == []
    assert Call.objects.count() == 1, "the call stays"
    assert remove_voicemail_by_age() == 0


@pytest.mark.parametrize(("days", "removed"), [(0, 0), (7, 1), (30, 0)])
def test_each_organization_says_how_long(
    stored: Callable[..., Voicemail], line: PhoneNumber, days: int, removed: int
) -> None:
    stored()
    Organization.objects.update(voicemail_days=days)
    ages(10)
    assert remove_voicemail_by_age() == removed


def test_others_messages_stay(stored: Callable[..., Voicemail], line: PhoneNumber, strangers_line: PhoneNumber) -> None:
    stored()
    Organization.objects.filter(pk=line.organization_id).update(voicemail_days=0)
    Organization.objects.filter(pk=strangers_line.organization_id).update(voicemail_days=1)
    ages(400)
    assert remove_voicemail_by_age() == 0


def test_a_message_that_twilio_does_not_delete_stays_until_it_does(
    stored: Callable[..., Voicemail], carrier: RunningTwilio, settings: Settings, own_folder: Path
) -> None:
    stored()
    ages(100)
    settings.TWILIO_BASE_URL = carrier.fault_url("rest_500")
    assert remove_voicemail_by_age() == 0
    assert len(files(own_folder)) == Voicemail.objects.count() == 1
    settings.TWILIO_BASE_URL = carrier.url
    assert remove_voicemail_by_age() == 1
    assert files(own_folder) == []


def test_a_message_without_audio_is_removed_too(twilio: Twilio, call: Call, carrier: RunningTwilio) -> None:
    report(twilio, keep(carrier, b"", ready_in_s=3600))
    work("fetch")
    ages(100)
    carrier.do(lambda server: server.carrier.account.recordings.clear())
    assert remove_voicemail_by_age() == 1


@pytest.mark.parametrize("point", [(RETENTION, "delete_file", "before"), (RETENTION, "delete_file", "after")])
def test_a_worker_killed_while_it_removes_leaves_nothing_behind(
    stored: Callable[..., Voicemail], carrier: RunningTwilio, own_folder: Path, point: Point
) -> None:
    stored()
    ages(100)
    assert in_a_process_that_dies(remove_voicemail_by_age, point)
    assert remove_voicemail_by_age() == 1
    assert (files(own_folder), at_twilio(carrier), Recording.objects.count()) == ([], 0, 0)


def test_a_run_ends_before_its_task_is_killed(
    stored: Callable[..., Voicemail], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored()
    ages(100)
    monkeypatch.setattr(retention, "LONGEST_RUN_S", -1.0)
    assert remove_voicemail_by_age() == 0
    assert Voicemail.objects.count() == 1


def test_the_beat_removes_old_messages_every_hour() -> None:
    schedule = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    assert schedule["telephony.tasks.remove_old_voicemail"] == 3600.0
    assert LOOK_FOR.startswith("voicemail.")


@mock_aws
def test_a_file_in_the_bucket_is_removed(settings: Settings) -> None:
    settings.LIVEKIT_RECORDING_BUCKET, settings.AWS_ENDPOINT_URL = "messages", ""
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "testing"
    aws_client("s3", region="us-east-1").create_bucket(Bucket="messages")
    recording = Recording(bucket=store_file("a.wav", b"RIFF", file_type="wav"), key="a.wav", file_type="wav")
    assert read_file(recording) == b"RIFF"
    for _ in range(2):
        delete_file(recording)
    with pytest.raises(ProviderError):
        read_file(recording)


def test_nothing_is_removed_under_a_legal_hold(stored: Callable[..., Voicemail], line: PhoneNumber) -> None:
    stored()
    ages(91)
    hold = PrivacySettings.objects.create(organization=line.organization, is_on_hold=True, hold_reason="A case")
    assert remove_voicemail_by_age() == 0
    hold.delete()
    assert remove_voicemail_by_age() == 1
