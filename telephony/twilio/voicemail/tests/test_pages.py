"""The pages of voicemail: who sees a message, listens to it, and rings back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.organizations.models import Membership
from recordings.files import read_file
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tests.builders import make_endpoint
from telephony.twilio.models import PhoneNumber
from telephony.twilio.tests.conftest import CALLER, Twilio
from telephony.twilio.voicemail.models import Voicemail
from telephony.twilio.voicemail.services import lose_voicemail
from voiceapp.simulators.twilio.tests.running import RunningTwilio

from .conftest import OPENAI_KEY, jobs, keep, only_voicemail, report, silent, spoken, work

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/telephony/voicemail/"


def client_of(line: PhoneNumber, role: str, name: str = "alice") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    Membership.objects.create(organization=line.organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def page(voicemail: Voicemail) -> str:
    return reverse("admin:telephony_voicemail_change", args=(voicemail.pk,))


def audio(voicemail: Voicemail) -> str:
    return reverse("admin:telephony_voicemail_audio", args=(voicemail.pk,))


def press(client: Client, voicemail: Voicemail, button: str) -> str:
    response = client.post(page(voicemail).replace("/change/", f"/press/{button}/"), follow=True)
    return response.content.decode()


def test_the_list_the_page_and_the_calls_page_show_the_message(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    voicemail = stored()
    Voicemail.objects.update(transcript="Please call me back.")
    client = client_of(line, "staff")
    listed = client.get(LIST).content.decode()
    assert "Please call me back." in listed
    assert "New" in listed
    assert "+49 176 12345678" in listed
    shown = client.get(page(voicemail)).content.decode()
    assert f'src="{audio(voicemail)}"' in shown
    assert f'href="tel:{CALLER}"' in shown
    of_call = client.get(reverse("admin:voice_sessions_call_change", args=(voicemail.call_id,))).content.decode()
    assert f'src="{audio(voicemail)}"' in of_call
    assert "Please call me back." in of_call


def test_listening_marks_the_message_as_heard_by_the_first_listener(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    voicemail = stored()
    assert voicemail.recording is not None
    alice, bob = client_of(line, "owner"), client_of(line, "staff", "bob")
    assert alice.head(audio(voicemail)).status_code == 200
    assert only_voicemail().heard_at is None
    response = alice.get(audio(voicemail))
    assert (response.content, response["Content-Type"]) == (read_file(voicemail.recording), "audio/wav")
    assert "no-store" in response["Cache-Control"]
    bob.get(audio(voicemail))
    assert only_voicemail().heard_by == "alice"
    assert "Heard" in alice.get(page(voicemail)).content.decode()
    assert "marked as new" in press(alice, voicemail, "new")
    assert (only_voicemail().heard_at, only_voicemail().heard_by) == (None, "")
    assert "marked as heard" in press(bob, voicemail, "heard")
    assert only_voicemail().heard_by == "bob"


def test_a_player_may_ask_for_parts(stored: Callable[..., Voicemail], line: PhoneNumber) -> None:
    voicemail = stored()
    client = client_of(line, "owner")
    whole = client.get(audio(voicemail)).content
    part = client.get(audio(voicemail), headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert part["Content-Range"] == f"bytes 100-199/{len(whole)}"
    beyond = client.get(audio(voicemail), headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(whole)}")


@pytest.mark.parametrize(("role", "sees", "listens"), [("viewer", True, False), ("kitchen", False, False)])
def test_other_roles_see_no_number_and_hear_nothing(
    stored: Callable[..., Voicemail], line: PhoneNumber, role: str, sees: bool, listens: bool
) -> None:
    voicemail = stored()
    client = client_of(line, role)
    assert client.get(LIST).status_code == (200 if sees else 403)
    shown = client.get(page(voicemail)).content.decode()
    assert CALLER not in shown
    assert "<audio" not in shown
    assert client.get(audio(voicemail)).status_code in (403, 404)
    assert only_voicemail().heard_at is None


def test_charlie_finds_nothing(
    stored: Callable[..., Voicemail], line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    voicemail = stored()
    charlie = client_of(strangers_line, "owner", "charlie")
    assert str(voicemail.pk) not in charlie.get(LIST).content.decode()
    assert charlie.get(audio(voicemail)).status_code == 404
    assert charlie.get(page(voicemail), follow=True).redirect_chain
    press(charlie, voicemail, "heard")
    assert only_voicemail().heard_at is None
    assert Client().get(audio(voicemail)).status_code == 302


def test_a_post_to_the_audio_is_refused(stored: Callable[..., Voicemail], line: PhoneNumber) -> None:
    assert client_of(line, "owner").post(audio(stored())).status_code == 405


def test_a_file_that_is_gone_is_said_and_not_marked_as_heard(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    voicemail = stored()
    assert voicemail.recording is not None
    type(voicemail.recording).objects.update(key="recordings/elsewhere.wav")
    response = client_of(line, "owner").get(audio(voicemail))
    assert (response.status_code, response.content) == (
        404, b"The audio cannot be read (disk: the file is gone).",
    )  # fmt: skip
    assert only_voicemail().heard_at is None


def test_a_lost_message_says_why_and_can_be_fetched_again(stored: Callable[..., Voicemail], line: PhoneNumber) -> None:
    voicemail = stored()
    Voicemail.objects.update(state="fetching")
    lose_voicemail(voicemail, "The recording was deleted at Twilio before it could be fetched.")
    client = client_of(line, "staff")
    assert "was deleted at Twilio" in client.get(page(voicemail)).content.decode()
    assert "being fetched" in press(client, voicemail, "fetch")
    assert only_voicemail().state == Voicemail.State.FETCHING
    assert [job.state for job in jobs("fetch")].count("waiting") == 1


def attention(client: Client) -> str:
    shown = client.get("/admin/").content.decode()
    part = shown[shown.index('id="attention"') :]
    return part[: part.index("</section>")]


def test_the_dashboard_names_messages_until_somebody_has_heard_them(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    voicemail = stored()
    client = client_of(line, "owner")
    found = re.search(r'href="([^"]+)">[^<]*A caller left a message', attention(client))
    assert found
    assert audio(voicemail) in client.get(found.group(1)).content.decode()
    client.get(audio(voicemail))
    assert "A caller left a message" not in attention(client)


def test_the_dashboard_does_not_name_a_recording_without_words(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    stored(silent(3))
    assert "A caller left a message" not in attention(client_of(line, "owner"))


def test_the_recordings_page_downloads_the_file_from_the_disk(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    recording = stored().recording
    assert recording is not None
    client = client_of(line, "owner")
    response = client.post(f"/admin/recordings/recording/{recording.pk}/press/fetch/")
    assert response.content == read_file(recording)
    assert response["Content-Disposition"].startswith("attachment")


def test_a_message_that_could_not_be_fetched_says_why_and_can_be_fetched_again(
    twilio: Twilio, call: Call, carrier: RunningTwilio, line: PhoneNumber, settings: Settings
) -> None:
    report(twilio, keep(carrier, spoken()))
    token, settings.TWILIO_AUTH_TOKEN = settings.TWILIO_AUTH_TOKEN, "wrong"
    work("fetch")
    client, voicemail = client_of(line, "owner"), only_voicemail()
    assert voicemail.state == Voicemail.State.FAILED
    shown = client.get(page(voicemail)).content.decode()
    assert "Could not be fetched" in shown
    assert "401" in shown
    assert call.events.filter(kind="voicemail_failed").exists()
    settings.TWILIO_AUTH_TOKEN = token
    press(client, voicemail, "fetch")
    assert only_voicemail().state == Voicemail.State.FETCHING
    work("fetch")
    assert only_voicemail().state == Voicemail.State.STORED


def test_a_failed_fetch_can_be_retried_as_a_job_too(
    twilio: Twilio, call: Call, carrier: RunningTwilio, settings: Settings
) -> None:
    report(twilio, keep(carrier, spoken()))
    token, settings.TWILIO_AUTH_TOKEN = settings.TWILIO_AUTH_TOKEN, "wrong"
    work("fetch")
    settings.TWILIO_AUTH_TOKEN = token
    outbox.retry(OutboxMessage.objects.all())
    work("fetch")
    assert (only_voicemail().state, only_voicemail().explanation) == (Voicemail.State.STORED, "")


def test_a_message_without_a_transcript_can_be_transcribed_again(
    stored: Callable[..., Voicemail], line: PhoneNumber, openai: str, settings: Settings
) -> None:
    settings.OPENAI_API_KEY = ""
    voicemail, client = stored(), client_of(line, "staff")
    work("transcribe")
    assert "Transcribe again" in client.get(page(voicemail)).content.decode()
    settings.OPENAI_API_KEY = OPENAI_KEY
    for _ in range(2):
        press(client, voicemail, "transcribe")
    work("transcribe")
    assert only_voicemail().transcript
    assert "Transcribe again" not in client.get(page(voicemail)).content.decode()


def test_the_page_says_what_became_of_the_deliveries_and_sends_again(
    stored: Callable[..., Voicemail], line: PhoneNumber
) -> None:
    voicemail, client = stored(), client_of(line, "staff")
    assert "No voicemail address is set" in press(client, voicemail, "send")
    make_endpoint(line.organization, events=("voicemail.",))
    press(client, voicemail, "send")
    OutboxMessage.objects.filter(event="voicemail.received").update(state="failed", last_error="returned 410")
    shown = client.get(page(voicemail)).content.decode()
    assert "Webhook to Kitchen: Failed (returned 410)" in shown
    press(client, voicemail, "send")
    assert [job.state for job in jobs("post")] == ["waiting"]
    OutboxMessage.objects.filter(event="voicemail.received").update(state="done")
    press(client, voicemail, "send")
    assert [job.state for job in jobs("post")] == ["done", "waiting"]
