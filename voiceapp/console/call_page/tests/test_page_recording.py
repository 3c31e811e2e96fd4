"""The page records a call over WebRTC only if the caller agreed, and sends it to the call of this caller alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from agents.call_page.models import CallAccess
from agents.configuration.models import AgentVersion
from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.tests.builders import make_agent
from recordings.models import Recording
from recordings.sources.page import EBML
from sessions.calls.models import Call

from ..access import VISITOR_HEADER, Caller, visitor_by
from ..browser_call.recording import LONGEST_PIECE_BYTES
from ..opening import open_page_call
from .conftest import open_to
from .test_call_page import member_of
from .test_visitors import token_of

pytestmark = pytest.mark.django_db

PIECE = EBML + b"sound"
WEBM = "audio/webm"


@pytest.fixture(autouse=True)
def account(settings: Settings, tmp_path: Path) -> None:
    settings.RECORDINGS_DIR, settings.OPENAI_API_KEY = str(tmp_path), "sk-of-the-page"


@pytest.fixture
def alice(harbour: Organization) -> Client:
    make_agent(harbour)
    AgentVersion.objects.update(recording="bridge")
    return member_of(harbour)


def call_of(organization: Organization, owner: str) -> Call:
    return Call.objects.create(
        organization=organization, kind="browser", state="connected", carrier_sid=f"rtc_{owner}", owner=owner,
        connected_at=timezone.now(), is_recording_wanted=True,
    )  # fmt: skip


def subject_of(client: Client) -> str:
    return str(client.session["_auth_user_id"])


def send(
    client: Client, call: Call, piece: bytes = PIECE, *, query: str = "at=0", kind: str = WEBM, token: str = ""
) -> tuple[int, str]:
    assert call.organization is not None
    address = f"/call/{call.organization.slug}/realtime/{call.pk}/recording?{query}"
    answer = client.post(address, piece, content_type=kind, headers={VISITOR_HEADER: token} if token else {})
    return answer.status_code, answer.json().get("code", "")


def test_the_page_offers_it_where_this_server_records_the_agents_calls(alice: Client, harbour: Organization) -> None:
    def page() -> str:
        return alice.get(f"/call/{harbour.slug}").content.decode()

    assert 'id="record" type="checkbox"' in page()
    assert "checked" not in page().partition('id="record"')[2].partition(">")[0], "nothing is recorded by default"
    assert 'data-records="yes"' in page()
    for other in ("off", "twilio", "vapi"):
        AgentVersion.objects.update(recording=other)
        assert 'id="record"' not in page()
        assert "data-records" not in page()


def test_a_call_is_recorded_only_if_the_caller_agreed(alice: Client, harbour: Organization) -> None:
    caller = Caller(harbour, Principal("alice", organization_id=harbour.pk))
    assert open_page_call(caller, wants_recording=True).is_recording_wanted
    assert not open_page_call(caller).is_recording_wanted
    Call.objects.all().delete()
    AgentVersion.objects.update(recording="off")
    assert not open_page_call(caller, wants_recording=True).is_recording_wanted


def test_only_the_one_who_calls_sends(alice: Client, harbour: Organization, meadow: Organization) -> None:
    call = call_of(harbour, subject_of(alice))
    bob, charlie = member_of(harbour, name="bob"), member_of(meadow, name="charlie")
    for other in (bob, charlie, Client()):
        assert send(other, call)[0] in (401, 403, 404)
    assert not Recording.objects.exists()
    assert send(alice, call) == (200, "")
    assert send(alice, call, b"more", query=f"at={len(PIECE)}&isLast=true") == (200, "")
    recording = Recording.objects.get()
    assert (recording.call, recording.source, recording.state) == (call, "page", "storing")


def test_a_visitor_sends_to_his_own_call(harbour: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    AgentVersion.objects.update(recording="bridge")
    own, others = token_of(harbour), token_of(harbour)
    call = call_of(harbour, visitor_by(own, harbour.slug).principal.subject)
    assert send(Client(), call, token=others)[0] == 404
    assert send(Client(), call, token=own) == (200, "")


@pytest.mark.parametrize(
    ("piece", "query", "kind", "answer"),
    [
        (PIECE, "at=0", "application/json", (415, "unsupported_media_type")),
        (PIECE, "at=0", "audio/ogg", (415, "unsupported_media_type")),
        (b"", "at=0", WEBM, (400, "empty")),
        (b"RIFF", "at=0", WEBM, (400, "no_sound")),
        (PIECE + bytes(LONGEST_PIECE_BYTES), "at=0", WEBM, (413, "too_large")),
        (PIECE, "", WEBM, (400, "invalid")),
        (PIECE, "at=-1", WEBM, (400, "invalid")),
        (PIECE, "at=0&at=1", WEBM, (400, "invalid")),
        (PIECE, "at=0&more=1", WEBM, (400, "invalid")),
        (PIECE, "at=99999999999999999999", WEBM, (400, "invalid")),
        (PIECE, "at=0&ageMs=600000", WEBM, (400, "invalid")),
        (PIECE, "at=7", WEBM, (409, "not_recorded")),
    ],
)
def test_what_is_no_piece_is_refused(
    alice: Client, harbour: Organization, piece: bytes, query: str, kind: str, answer: tuple[int, str]
) -> None:
    call = call_of(harbour, subject_of(alice))
    assert send(alice, call, piece, query=query, kind=kind) == answer
    assert not Recording.objects.exists()


def test_after_the_caller_declined_the_page_is_to_stop(alice: Client, harbour: Organization) -> None:
    call = call_of(harbour, subject_of(alice))
    Call.objects.update(recording_declined_at=timezone.now())
    assert send(alice, call) == (409, "not_recorded")


def test_a_full_disk_is_said(alice: Client, harbour: Organization, settings: Settings, tmp_path: Path) -> None:
    call = call_of(harbour, subject_of(alice))
    (tmp_path / "file").touch()
    settings.RECORDINGS_DIR = str(tmp_path / "file")
    assert send(alice, call) == (503, "not_stored")
