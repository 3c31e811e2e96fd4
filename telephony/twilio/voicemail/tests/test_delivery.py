"""A stored message is transcribed and sent to its organization, by webhook and by e-mail, over real sockets."""

from __future__ import annotations

import datetime as dt
import email
import json
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings

from recordings.files import read_file
from sessions.calls.models import Call
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.tests.builders import make_endpoint
from telephony.twilio.models import PhoneNumber
from telephony.twilio.tests.conftest import Twilio
from telephony.twilio.voicemail.models import Voicemail
from voiceapp.management.doctor.mail import check_mail
from voiceapp.providers.webhook_signature import signature_header
from voiceapp.simulators.twilio.tests.running import RunningTwilio
from voiceapp.tests.dying import Point, in_a_process_that_dies

from .conftest import SENTENCE, jobs, keep, only_voicemail, report, spoken, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits]


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/voicemail"

    @property
    def posts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


class ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver(settings: Settings, line: PhoneNumber) -> Iterator[Receiver]:
    settings.SIMULATORS = ["twilio"]
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        make_endpoint(line.organization, receiver.url, events=("voicemail.",))
        yield receiver
        receiver.shutdown()
        thread.join()


class Mailbox:
    """What an SMTP server has accepted; `refusal` is its response instead."""

    def __init__(self) -> None:
        self.refusal = ""
        self.got: list[Message] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def mailbox(settings: Settings, line: PhoneNumber) -> Iterator[Mailbox]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    line.organization.voicemail_email = "desk@alices.example.com"
    line.organization.save()
    yield mailbox
    controller.stop()


def test_a_message_is_transcribed_and_posted_with_a_signature(
    stored: Callable[..., Voicemail], openai: str, receiver: Receiver, call: Call
) -> None:
    voicemail = stored()
    work()
    (post,) = receiver.posts
    (headers, body) = receiver.got[0]
    assert post["type"] == "voicemail.received"
    found = post["data"]
    assert found["transcript"] == SENTENCE
    expected = {
        "id": str(voicemail.pk), "callId": str(call.pk), "orgId": str(call.organization_id), "why": "nobody_there",
        "callerNumber": call.caller_number, "dialedNumber": call.dialed_number, "audioUrl": None,
    }  # fmt: skip
    assert found.items() >= expected.items()
    assert found["pageUrl"].endswith(f"/admin/telephony/voicemail/{voicemail.pk}/change/")
    endpoint = WebhookEndpoint.objects.get()
    expected_signature = signature_header(
        [endpoint.secret], webhook_id=headers["webhook-id"], sent_at_s=int(headers["webhook-timestamp"]), body=body
    )
    assert headers["webhook-signature"] == expected_signature


def test_the_mail_has_the_text_the_audio_and_the_address_of_the_page(
    stored: Callable[..., Voicemail], openai: str, mailbox: Mailbox
) -> None:
    voicemail = stored()
    work()
    (mail,) = mailbox.got
    assert mail["To"] == "desk@alices.example.com"
    assert mail["Subject"] == "Voicemail from +49 176 12345678 for Alices"
    assert mail["Message-ID"] == f"<voicemail-{voicemail.pk}@voice.example.com>"
    text, audio = mail.iter_parts()  # type: ignore[attr-defined]
    assert SENTENCE in text.get_content()
    assert f"/admin/telephony/voicemail/{voicemail.pk}/change/" in text.get_content()
    assert audio.get_content_type() == "audio/wav"
    assert voicemail.recording is not None
    assert audio.get_content() == read_file(voicemail.recording)


def test_a_message_waits_for_its_transcript_but_not_for_long(
    stored: Callable[..., Voicemail], openai: str, receiver: Receiver, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = f"{openai}/fault/refuse=503/v1"
    stored()
    work()
    assert receiver.got == [], "the transcript may still come"
    work("post", later=dt.timedelta(minutes=3))
    (post,) = receiver.posts
    assert post["data"]["transcript"] == ""
    settings.OPENAI_BASE_URL = f"{openai}/v1"
    work("transcribe", "post", later=dt.timedelta(minutes=4))
    assert only_voicemail().transcript == SENTENCE
    assert len(receiver.got) == 1, "it was sent"


@pytest.mark.parametrize(
    ("fault", "why"),
    [("refuse=401", "OpenAI returned 401 Unauthorized."), ("refuse=400", "OpenAI returned 400 Bad Request.")],
)
def test_what_openai_refuses_is_sent_without_a_text_at_once(
    stored: Callable[..., Voicemail], openai: str, receiver: Receiver, settings: Settings, fault: str, why: str
) -> None:
    settings.OPENAI_BASE_URL = f"{openai}/fault/{fault}/v1"
    stored()
    work()
    assert only_voicemail().no_transcript == why
    assert len(receiver.got) == 1


def test_openai_is_asked_six_times_at_most(stored: Callable[..., Voicemail], openai: str, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = f"{openai}/fault/garbage/v1"
    stored()
    for minutes in range(0, 30, 3):
        work("transcribe", later=dt.timedelta(minutes=minutes))
    (job,) = jobs("transcribe")
    assert (job.state, job.attempts) == ("done", 6)
    assert only_voicemail().no_transcript == "OpenAI's response could not be read."


def test_without_a_key_the_message_is_sent_without_a_text(
    stored: Callable[..., Voicemail], receiver: Receiver, settings: Settings
) -> None:
    settings.OPENAI_API_KEY, settings.AWS_ENDPOINT_URL = "", "http://127.0.0.1:9"
    stored()
    work("transcribe")
    work("transcribe", "post", later=dt.timedelta(minutes=3))
    (post,) = receiver.posts
    assert post["data"]["transcript"] == ""


def test_a_receiver_that_fails_is_asked_again_with_the_same_id(
    stored: Callable[..., Voicemail], openai: str, receiver: Receiver
) -> None:
    receiver.status = 500
    stored()
    work()
    receiver.status = 200
    work("post", later=dt.timedelta(minutes=1))
    work("post", later=dt.timedelta(hours=1))
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 2
    assert [job.state for job in jobs("post")] == ["done"]


def test_a_message_that_was_removed_meanwhile_is_not_posted(
    stored: Callable[..., Voicemail], openai: str, receiver: Receiver
) -> None:
    voicemail = stored()
    Voicemail.objects.filter(pk=voicemail.pk).delete()
    work("post", later=dt.timedelta(minutes=3))
    assert [(job.state, receiver.got) for job in jobs("post")] == [("done", [])]


def test_without_a_mail_server_the_mail_waits_for_one(
    stored: Callable[..., Voicemail], openai: str, mailbox: Mailbox, settings: Settings
) -> None:
    settings.EMAIL_URL = ""
    stored()
    work()
    assert [(job.state, job.last_error) for job in jobs("mail")] == [
        ("unconfigured", "EMAIL_URL is not set on this server.")
    ]


@pytest.mark.parametrize(
    ("refusal", "state"), [("450 try later", "waiting"), ("550 no such mailbox", "failed")], ids=["for now", "for good"]
)
def test_a_mail_server_that_refuses(
    stored: Callable[..., Voicemail], openai: str, mailbox: Mailbox, refusal: str, state: str
) -> None:
    mailbox.refusal = refusal
    stored()
    work()
    (job,) = jobs("mail")
    assert (job.state, mailbox.got) == (state, [])
    assert refusal[:3] in job.last_error
    mailbox.refusal = ""
    work("mail", later=dt.timedelta(minutes=1))
    assert len(mailbox.got) == (1 if state == "waiting" else 0)


def test_a_mail_server_that_is_away(
    stored: Callable[..., Voicemail], openai: str, mailbox: Mailbox, settings: Settings
) -> None:
    settings.EMAIL_PORT = 9
    stored()
    work()
    (job,) = jobs("mail")
    assert (job.state, job.last_error) == ("waiting", "mail server: no response (ConnectionRefusedError)")


def test_the_organization_is_told_of_a_message_that_is_lost(
    call: Call, carrier: RunningTwilio, twilio: Twilio, receiver: Receiver, mailbox: Mailbox, settings: Settings
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("media_gone")
    report(twilio, keep(carrier, spoken()))
    for minutes in (0, 11, 12):
        work(later=dt.timedelta(minutes=minutes))
    why = "The recording was deleted at Twilio before it could be fetched."
    (post,) = receiver.posts
    assert (post["data"]["state"], post["data"]["explanation"]) == ("lost", why)
    (mail,) = mailbox.got
    assert f"The message is lost. {why}" in mail.get_content()  # type: ignore[attr-defined]


AFTER_STORING: list[Point] = [
    ("telephony.twilio.voicemail.jobs", "read_file", "after"),
    ("telephony.twilio.voicemail.jobs", "transcribe", "after"),
    ("telephony.twilio.voicemail.services", "keep_transcript", "after"),
    ("telephony.twilio.voicemail.delivery", "voicemail_json", "after"),
    ("voiceapp.providers.webhook_receiver:WebhookReceiver", "post", "before"),
    ("voiceapp.providers.webhook_receiver:WebhookReceiver", "post", "after"),
    ("telephony.twilio.voicemail.delivery", "mail_text", "after"),
    ("django.core.mail:EmailMessage", "send", "after"),
    ("voiceapp.providers.twilio.recordings:TwilioRecordings", "delete", "before"),
    ("voiceapp.providers.twilio.recordings:TwilioRecordings", "delete", "after"),
]


@pytest.mark.parametrize("point", AFTER_STORING, ids=lambda point: f"{point[1]}-{point[2]}")
def test_a_worker_killed_at_any_point_after_storing_sends_and_deletes_all_the_same(
    stored: Callable[..., Voicemail],
    openai: str,
    receiver: Receiver,
    mailbox: Mailbox,
    line: PhoneNumber,
    point: Point,
) -> None:
    line.organization.deletes_voicemail_at_carrier = True
    line.organization.save()
    stored()
    assert in_a_process_that_dies(work, point)
    for minutes in (1, 3, 5):
        work(later=dt.timedelta(minutes=minutes))
    assert only_voicemail().transcript == SENTENCE
    assert not only_voicemail().is_at_carrier
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1, "sent at least once, and known by its id"
    assert len({mail["Message-ID"] for mail in mailbox.got}) == 1
    for topic in ("transcribe", "post", "mail", "delete"):
        assert [job.state for job in jobs(topic)] == ["done"]


def test_the_doctor_signs_in_to_the_mail_server(mailbox: Mailbox, line: PhoneNumber, settings: Settings) -> None:
    assert check_mail().is_well
    settings.EMAIL_PORT = 9
    assert check_mail().is_well is False
    settings.EMAIL_URL = ""
    assert "voicemail of Alices is not sent" in check_mail().detail
    line.organization.voicemail_email = ""
    line.organization.save()
    assert check_mail().is_well is None


def test_a_name_with_a_line_break_writes_no_header(
    stored: Callable[..., Voicemail], openai: str, mailbox: Mailbox, line: PhoneNumber
) -> None:
    type(line.organization).objects.update(name="Alices\nBcc: charlie@example.com")
    stored()
    work()
    (mail,) = mailbox.got
    assert mail["Bcc"] is None
