"""Files are in a private bucket under names of ours, and reached by links for one file and five minutes."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import uuid
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import httpx
import pytest
import time_machine
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.tests.people import ApiClient, refused
from recordings.models import Recording
from recordings.services.access import link_for
from recordings.services.starting import start_recording
from recordings.services.stopping import stop_recording
from recordings.storage import file_name, new_key, recording_link, storage
from sessions.calls.models import Call
from sessions.calls.recording_links import WITH_RECORDING, WITH_TRANSCRIPT, recording_transcript
from sessions.calls.recording_links import recording_link as link_for_sessions
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.aws.client import AwsError
from voiceapp.providers.livekit.client import GoogleStorage, LiveKitClient, S3Storage
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .calls import RECORDING, becomes, only_recording, talk
from .places import AWS_SECRET

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Principal("1", sees_all=True)
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def fetch(url: str | None) -> httpx.Response:
    assert url
    return httpx.get(url, trust_env=False, timeout=10)


def s3_would_serve(link: str, *, at: dt.datetime, method: str = "GET") -> bool:
    """Signature version 4 in a query, computed once more from what AWS publishes of it."""
    parts = urlsplit(link)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    signature = query.pop("X-Amz-Signature")
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
    request = f"{method}\n{parts.path}\n{canonical_query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = query["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}"
    key = f"AWS4{AWS_SECRET}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    begins_at = dt.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
    is_in_time = begins_at <= at <= begins_at + dt.timedelta(seconds=int(query["X-Amz-Expires"]))
    return is_in_time and hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature)


@pytest.mark.parametrize(("file_type", "magic"), [("mp4", b"ftypisom"), ("ogg", b"OggS")])
def test_a_recording_is_stored_and_its_link_serves_it(
    alice: ApiClient,
    call: Call,
    client: LiveKitClient,
    livekit: RunningLiveKit,
    stored: str,
    file_type: str,
    magic: bytes,
) -> None:
    started = alice.post(RECORDING, roomName=ROOM, fileType=file_type, outputPath="Monday").json()
    egress_id = started["recording"]["egressId"]
    becomes(client, egress_id, EgressStatus.ACTIVE)
    livekit.advance(30)
    early = alice.delete(RECORDING, roomName=ROOM).json()["recordingUrl"]
    becomes(client, egress_id, EgressStatus.COMPLETE)
    recording = only_recording()
    assert recording.has_file
    assert recording.duration_ms
    assert recording.duration_ms >= 30_000
    for url in (
        early,  # the report arrived before the file
        alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"],
        alice.get(RECORDING, roomName=ROOM, egressId=egress_id).json()["recordingUrl"],
        link_for_sessions(call, ROOT),
    ):
        file = fetch(url)
        assert file.status_code == 200
        assert magic in file.content[:12]
        assert len(file.content) == recording.size_bytes
        assert file.headers["Content-Disposition"] == f'attachment; filename="Monday.{file_type}"'
        assert file.headers["Content-Type"] == f"audio/{file_type}"
    assert alice.get(RECORDING, roomName=ROOM).json()["recording"] == {
        "egressId": egress_id,
        "roomName": ROOM,
        "startedAt": alice.get(RECORDING, roomName=ROOM).json()["recording"]["startedAt"],
        "status": "complete",
        "isActive": False,
    }


def test_a_link_is_for_one_file_for_five_minutes_and_signed(alice: ApiClient, call: Call, settings: Settings) -> None:
    alice.post(RECORDING, roomName=ROOM)
    link = urlsplit(alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"])
    query = {name: values[0] for name, values in parse_qs(link.query, strict_parsing=True).items()}
    recording = only_recording()
    assert link.scheme == "https"
    assert link.hostname == "calls-of-tests.s3.eu-west-1.amazonaws.com"
    assert link.path == f"/{recording.key}"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert int(query["X-Amz-Expires"]) == 300
    assert "/eu-west-1/s3/aws4_request" in query["X-Amz-Credential"]
    assert query["response-content-disposition"].startswith("attachment; ")
    assert settings.AWS_SECRET_ACCESS_KEY not in link.geturl()


def test_nothing_of_a_link_can_be_changed_and_it_ends_after_five_minutes(call: Call) -> None:
    """As S3 decides it; the simulator of AWS does not verify signatures."""
    with time_machine.travel("2026-11-21T10:00:00Z", tick=False):
        link = recording_link(start_recording(call)) or ""
    begin = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
    assert s3_would_serve(link, at=begin)
    assert s3_would_serve(link, at=begin + dt.timedelta(seconds=300))
    assert not s3_would_serve(link, at=begin + dt.timedelta(seconds=301))
    for method in ("PUT", "HEAD", "DELETE"):
        assert not s3_would_serve(link, at=begin, method=method)
    for old, new in (
        ("/recordings/", "/recordings/../recordings/"),
        (str(call.organization_id), str(uuid.uuid4())),
        (".mp4?", ".ogg?"),
        ("Expires=300", "Expires=604800"),
        ("attachment", "inline"),
        ("calls-of-tests.", "other-bucket."),
    ):
        assert old in link
        assert not s3_would_serve(link.replace(old, new, 1), at=begin)


def test_of_two_organizations_each_has_links_to_its_own_files(
    alice: ApiClient,
    charlie: ApiClient,
    call: Call,
    meadow: Organization,
    client: LiveKitClient,
    livekit: RunningLiveKit,
) -> None:
    client.create_room("meadow-room")
    talk(livekit, client, "meadow-room")
    make_room_call(meadow, room_name="meadow-room", owner="user_charlie")
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    charlie.post(RECORDING, roomName="meadow-room")
    theirs = charlie.get(RECORDING, roomName="meadow-room").json()["recordingUrl"]
    assert f"/recordings/{meadow.pk}/" in theirs
    assert f"/recordings/{call.organization_id}/" in alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"]
    for answer in (charlie.get(RECORDING, roomName=ROOM), charlie.get(RECORDING, roomName=ROOM, egressId=egress_id)):
        assert refused(answer) == (404, "Call session not found")
    assert refused(charlie.get(RECORDING, roomName="meadow-room", egressId=egress_id)) == (404, "Recording not found")


def test_the_name_in_the_bucket_is_made_by_us(harbour: Organization) -> None:
    call = make_room_call(harbour)
    key = new_key(call, "ogg", now=dt.datetime(2026, 3, 9, tzinfo=dt.UTC))
    assert re.fullmatch(rf"recordings/{harbour.pk}/2026/03/{UUID}\.ogg", key)
    assert new_key(call, "ogg") != new_key(call, "ogg")
    assert new_key(make_room_call(None, room_name="alone"), "mp4").startswith("recordings/alone/")


@pytest.mark.parametrize(
    ("label", "name"), [("", f"{ROOM}.mp4"), ("Monday", "Monday.mp4"), ("a.MP4", "a.MP4"), ("a.ogg", "a.ogg.mp4")]
)
def test_a_file_is_offered_under_its_label(call: Call, label: str, name: str) -> None:
    assert file_name(Recording(call=call, label=label, file_type="mp4")) == name


def test_there_is_no_link_where_no_file_is_to_come(alice: ApiClient, call: Call, livekit: RunningLiveKit) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    livekit.control("POST", f"egress/{egress_id}", json={"status": "EGRESS_FAILED", "error": "no space"})
    Recording.objects.update(state="failed")
    assert alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"] is None
    assert alice.get(RECORDING, roomName=ROOM, egressId=egress_id).json() == {"success": True, "recordingUrl": None}
    assert link_for(call, ROOT) is None


def test_without_credentials_no_link_is_signed_and_the_rest_still_answers(
    alice: ApiClient, call: Call, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = ""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(AwsError):
        recording_link(only_recording())
    assert alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"] is None
    assert refused(alice.get(RECORDING, roomName=ROOM, egressId=egress_id)) == (503, "Recording service unavailable")
    assert alice.delete(RECORDING, roomName=ROOM).json()["recordingUrl"] is None


def test_livekit_receives_the_bucket_and_shows_no_secret(call: Call, settings: Settings, stored: str) -> None:
    used = storage()
    assert isinstance(used, S3Storage)
    assert (used.bucket, used.region, used.endpoint) == (
        "calls-of-tests",
        "eu-west-1",
        stored,
    )
    assert settings.AWS_SECRET_ACCESS_KEY not in repr(used)
    settings.LIVEKIT_RECORDING_REGION = ""
    assert used.region != settings.AWS_REGION
    assert storage() == replace(used, region=settings.AWS_REGION)


def test_livekit_receives_googles_bucket_with_the_key_of_an_account(settings: Settings) -> None:
    settings.LIVEKIT_RECORDING_BUCKET, settings.GCS_CREDENTIALS = "gs://calls", '{"type": "service_account"}'
    assert storage() == GoogleStorage("calls", '{"type": "service_account"}')
    assert "service_account" not in repr(storage())


def test_sessions_see_what_can_be_fetched_and_what_was_said(call: Call, client: LiveKitClient) -> None:
    def kept() -> tuple[bool, bool, bool, str | None]:
        has_recording = Call.objects.filter(WITH_RECORDING).exists()
        has_transcript = Call.objects.filter(WITH_TRANSCRIPT).exists()
        return has_recording, has_transcript, link_for_sessions(call, ROOT) is not None, recording_transcript(call)

    assert kept() == (False, False, False, None)
    recording = start_recording(call)
    becomes(client, recording.external_id or "", EgressStatus.ACTIVE)
    assert kept() == (False, False, False, None)
    stop_recording(call)
    becomes(client, recording.external_id or "", EgressStatus.COMPLETE)
    Recording.objects.update(transcript="Hello.")
    assert kept() == (True, True, True, "Hello.")
    Recording.objects.update(size_bytes=None, url="https://archive.example.com/1")
    assert link_for_sessions(call, ROOT) == "https://archive.example.com/1"
    assert Call.objects.filter(WITH_RECORDING).count() == 1
