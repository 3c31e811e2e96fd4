"""The doctor checks LiveKit and AWS: what works, what does not, and how to fix it."""

from __future__ import annotations

import time

import pytest
from pytest_django import Settings

from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_expected, agent_never_came
from sessions.tests.builders import make_room_call
from voiceapp.management.doctor.announcements import check_announcements, check_records, check_secret
from voiceapp.management.doctor.examination import TIMEOUT_S, Check, examine
from voiceapp.management.doctor.rooms import check_livekit, check_recordings, check_room_agents
from voiceapp.providers.aws.client import aws_client
from voiceapp.providers.aws.dynamodb import AwsTable
from voiceapp.simulators.google.storage import KEY_ID, PREFIX, SECRET
from voiceapp.simulators.livekit.tests.running import API_SECRET, name_livekit, running_livekit
from voiceapp.tests.gate import deaf_server

NOWHERE = "http://127.0.0.1:9"
SECRETS = ("secret-of-aws", API_SECRET, "sk-in-the-manager")


@pytest.fixture
def aws(local_aws: str, settings: Settings) -> str:
    settings.AWS_ENDPOINT_URL = local_aws
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "testing", "secret-of-aws"
    return local_aws


def test_livekit_is_well_when_it_takes_the_key(settings: Settings) -> None:
    with running_livekit() as livekit:
        name_livekit(settings, livekit.url)
        assert check_livekit().is_well
        settings.LIVEKIT_API_SECRET = "another secret of thirty-two characters"
        assert "rejects the key" in check_livekit().detail
        settings.LIVEKIT_API_SECRET = ""
        assert "LIVEKIT_API_SECRET" in check_livekit().fix
        settings.LIVEKIT_API_SECRET, settings.LIVEKIT_INTERNAL_URL = API_SECRET, NOWHERE
        assert "does not respond" in check_livekit().detail


@pytest.mark.django_db
def test_agents_without_a_worker_are_named_with_a_fix(settings: Settings) -> None:
    settings.LIVEKIT_HOST = ""
    assert check_room_agents().is_well is None
    settings.LIVEKIT_HOST = NOWHERE
    assert "make setup-agent" in check_room_agents().detail
    agent = agent_expected(make_room_call(None), system_prompt="", voice="alloy")
    RoomAgent.objects.update(status=RoomAgent.Status.ACTIVE)
    assert check_room_agents().is_well
    RoomAgent.objects.update(status=RoomAgent.Status.PENDING)
    assert agent_never_came(agent)
    assert (check_room_agents().is_well, "run_agent" in check_room_agents().fix) == (False, True)


def test_a_livekit_without_a_recorder_is_named_with_a_fix(aws: str, settings: Settings) -> None:
    settings.LIVEKIT_RECORDING_BUCKET = "recorded"
    aws_client("s3").create_bucket(Bucket="recorded")
    with running_livekit(faults=["redis_required"], egress_wait_s=21) as livekit:
        name_livekit(settings, livekit.url)
        found = check_recordings()
    assert (found.is_well, "no egress" in found.detail, "Redis" in found.fix) == (False, True, True)
    with running_livekit() as livekit:
        name_livekit(settings, livekit.url)
        assert check_recordings().is_well


def test_a_bucket_at_google_is_found_with_its_own_key(aws: str, settings: Settings) -> None:
    aws_client("s3").create_bucket(Bucket="at-google")
    settings.LIVEKIT_RECORDING_BUCKET, settings.GCS_ENDPOINT_URL = "gs://at-google", f"{aws}{PREFIX}"
    settings.GCS_HMAC_KEY_ID, settings.GCS_HMAC_SECRET = KEY_ID, SECRET
    settings.LIVEKIT_HOST = settings.LIVEKIT_INTERNAL_URL = ""
    assert check_recordings().is_well
    settings.GCS_HMAC_SECRET = "another"
    found = check_recordings()
    assert (found.is_well, "gs://at-google: gcs: " in found.detail, "HMAC key" in found.fix) == (False, True, True)


def test_nothing_of_it_configured_is_no_failure(settings: Settings) -> None:
    for name in ("LIVEKIT_HOST", "LIVEKIT_INTERNAL_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        setattr(settings, name, "")
    settings.LIVEKIT_RECORDING_BUCKET = settings.VOICE_SESSION_QUEUE_URL = settings.VOICE_SESSION_TABLE = ""
    settings.OPENAI_API_KEY = "sk-1"
    found = [check() for check in (check_livekit, check_recordings, check_announcements, check_records, check_secret)]
    assert {finding.is_well for finding in found} == {None}


def test_the_queue_the_table_the_bucket_and_the_secret_are_found(aws: str, settings: Settings) -> None:
    settings.VOICE_SESSION_QUEUE_URL = aws_client("sqs").create_queue(QueueName="doctor")["QueueUrl"]
    settings.VOICE_SESSION_TABLE = "doctor"
    AwsTable("doctor", key="sessionId", ttl="ttl").create()
    settings.LIVEKIT_RECORDING_BUCKET = "doctor"
    aws_client("s3").create_bucket(Bucket="doctor")
    settings.OPENAI_API_KEY, settings.OPENAI_SECRET_ID = "", "doctor"
    aws_client("secretsmanager").create_secret(Name="doctor", SecretString="sk-in-the-manager")
    found = [check() for check in (check_recordings, check_announcements, check_records, check_secret)]
    assert [finding.is_well for finding in found] == [True] * 4, found
    assert not any(secret in str(found) for secret in SECRETS)


def test_what_is_not_there_is_named_with_a_fix(aws: str, settings: Settings) -> None:
    settings.VOICE_SESSION_QUEUE_URL = f"{aws}/123456789012/absent"
    settings.VOICE_SESSION_TABLE = settings.LIVEKIT_RECORDING_BUCKET = "absent"
    settings.OPENAI_API_KEY, settings.OPENAI_SECRET_ID = "", "absent"
    found = [check() for check in (check_recordings, check_announcements, check_records, check_secret)]
    assert [finding.is_well for finding in found] == [False] * 4, found
    assert all("absent" in finding.detail and finding.fix for finding in found)
    assert not any(secret in str(found) for secret in SECRETS)


def test_an_aws_and_a_livekit_that_hang_hold_the_doctor_up_for_five_seconds_at_most(settings: Settings) -> None:
    with deaf_server() as url:
        settings.AWS_ENDPOINT_URL, settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = url, "k", "s"
        settings.VOICE_SESSION_QUEUE_URL = f"{url}/123456789012/q"
        name_livekit(settings, url)
        checks: list[tuple[str, Check]] = [("livekit", check_livekit), ("announcements", check_announcements)]
        began = time.monotonic()
        found = examine(checks, timeout_s=0.5)
        assert time.monotonic() - began < 5
    assert TIMEOUT_S < 5
    assert [finding.is_well for finding in found] == [False, False]
