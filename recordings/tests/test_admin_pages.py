"""Recordings in the admin: read by those who read calls, fetched by those who run the place, and only on a click."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.tests.builders import make_organization, make_user
from recordings.models import Recording
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_room_call

pytestmark = pytest.mark.django_db

BUCKET = "https://kept-calls.s3.eu-west-1.amazonaws.com"


@pytest.fixture
def harbour(db: None, settings: Settings) -> Organization:
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "AKIATEST", "secret"
    settings.AWS_ENDPOINT_URL, settings.LIVEKIT_RECORDING_REGION = "", "eu-west-1"
    return make_organization("Harbour")


@pytest.fixture
def call(harbour: Organization) -> Call:
    return make_room_call(harbour)


@pytest.fixture
def recording(call: Call) -> Recording:
    return Recording.objects.create(
        call=call, external_id="EG_1", state="stored", bucket="kept-calls", key="recordings/1.mp4", size_bytes=2_048,
        duration_ms=65_000, transcript="Caller: Hello.",
    )  # fmt: skip


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(recording: Recording) -> str:
    return reverse("admin:recordings_recording_change", args=(recording.pk,))


def press_of(recording: Recording, button: str = "fetch") -> str:
    return reverse("admin:recordings_recording_press", args=(recording.pk, button))


def test_an_owner_reads_a_recording_and_fetches_its_file(harbour: Organization, recording: Recording) -> None:
    client = signed_in(make_user("alice", harbour))
    page = client.get(page_of(recording))
    assert page.status_code == 200
    text = page.content.decode()
    assert "Caller: Hello." in text
    assert "Download file" in text
    assert "X-Amz-Signature" not in text
    assert f"form-action 'self' {BUCKET};" in page["Content-Security-Policy"]
    answer = client.post(press_of(recording))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{BUCKET}/recordings/1.mp4?")
    assert "X-Amz-Expires=300" in answer["Location"]
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Download file."]


@pytest.mark.parametrize("state", ["storing", "failed"])
def test_what_could_not_be_finished_says_where_and_why_and_is_retried(
    harbour: Organization, recording: Recording, state: str
) -> None:
    client = signed_in(make_user("alice", harbour))
    assert "Retry" not in client.get(page_of(recording)).content.decode()
    rows = Recording.objects.filter(pk=recording.pk)
    rows.update(state=state, step="check", error="The file is empty.", size_bytes=None)
    text = client.get(page_of(recording)).content.decode()
    assert "Checking the file (step 2 of 6)" in text
    assert "The file is empty." in text
    assert ("Storing, waiting for a retry" in text) == (state == "storing")
    assert client.post(press_of(recording, "retry")).status_code == 302
    recording.refresh_from_db()
    assert (recording.state, recording.error) == ("storing", "")
    assert OutboxMessage.objects.get().topic == "recording.finish"
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == [
        "The recording is being finished again."
    ]
    assert "Retry" not in client.get(page_of(recording)).content.decode()
    stranger = signed_in(make_user("charlie", make_organization("Meadow")))
    rows.update(error="again")
    assert stranger.post(press_of(recording, "retry")).status_code == 404
    recording.refresh_from_db()
    assert recording.error == "again"


def test_the_list_makes_no_link(harbour: Organization, recording: Recording) -> None:
    page = signed_in(make_user("alice", harbour)).get(reverse("admin:recordings_recording_changelist"))
    assert page.status_code == 200
    assert "X-Amz-Signature" not in page.content.decode()
    assert "Stored" in page.content.decode()


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_others_read_and_do_not_fetch(harbour: Organization, recording: Recording, role: Role) -> None:
    client = signed_in(make_user("bob", harbour, role))
    page = client.get(page_of(recording))
    assert page.status_code == 200
    assert "Download file" not in page.content.decode()
    assert "form-action 'self';" in page["Content-Security-Policy"]
    assert client.post(press_of(recording)).status_code == 403


def test_a_stranger_and_the_kitchen_find_nothing(harbour: Organization, recording: Recording) -> None:
    for user in (make_user("charlie", make_organization("Meadow")), make_user("karl", harbour, Role.KITCHEN)):
        client = signed_in(user)
        assert client.post(press_of(recording)).status_code in {302, 403, 404}
        answer = client.post(press_of(recording))
        assert "amazonaws" not in answer.get("Location", "")
        assert "Caller: Hello." not in client.get(page_of(recording), follow=True).content.decode()


def test_a_link_never_fetches(harbour: Organization, recording: Recording) -> None:
    assert signed_in(make_user("alice", harbour)).get(press_of(recording)).status_code == 405


@pytest.mark.parametrize("state", ["starting", "recording", "storing", "failed", "canceled"])
def test_without_a_file_there_is_no_button(harbour: Organization, recording: Recording, state: str) -> None:
    Recording.objects.update(state=state, size_bytes=None)
    client = signed_in(make_user("alice", harbour))
    assert "Download file" not in client.get(page_of(recording)).content.decode()
    assert client.post(press_of(recording))["Location"] == page_of(recording)


def test_a_call_s_page_names_its_recordings(harbour: Organization, call: Call, recording: Recording) -> None:
    page = signed_in(make_user("alice", harbour)).get(reverse("admin:voice_sessions_call_change", args=(call.pk,)))
    assert page.status_code == 200
    assert f'href="{page_of(recording)}"' in page.content.decode()


def test_a_place_that_would_break_out_of_the_policy_is_not_put_into_it(
    harbour: Organization, recording: Recording
) -> None:
    Recording.objects.update(url="https://a.example.com;script-src */x")
    page = signed_in(make_user("alice", harbour)).get(page_of(recording))
    assert "form-action 'self';" in page["Content-Security-Policy"]
    assert "script-src *" not in page["Content-Security-Policy"]
