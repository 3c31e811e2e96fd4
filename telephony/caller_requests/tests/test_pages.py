"""The page of a caller's request: enter the number, see what there is, export it, delete it, keep the proof."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.privacy.models import PrivacySettings
from agents.tests.builders import make_organization, make_user
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from telephony.caller_requests.deleting import TOPIC
from telephony.caller_requests.models import CallerRequest

from .conftest import NAME, NUMBER, PLACE, WORD

pytestmark = pytest.mark.django_db
LIST = "/admin/telephony/callerrequest/"
State = CallerRequest.State


def client_of(organization: Organization, role: Role, name: str) -> Client:
    client = Client()
    client.force_login(make_user(name, organization, role))
    return client


@pytest.fixture
def alice(harbour: Organization) -> Client:
    return client_of(harbour, Role.OWNER, "alice")


def page_of(client: Client, request: CallerRequest) -> str:
    response = client.get(reverse("admin:telephony_callerrequest_change", args=(request.pk,)))
    assert response.status_code == 200
    return str(response.content.decode())


def press(client: Client, request: CallerRequest, button: str) -> object:
    return client.post(f"{LIST}{request.pk}/press/{button}/")


def test_a_request_goes_from_the_number_to_the_proof(alice: Client, call: Call) -> None:
    response = alice.post(f"{LIST}add/", {"organization": str(call.organization_id), "number": "0176 555 01234"})
    assert response.status_code == 302, response.content.decode()
    request = CallerRequest.objects.get()
    assert (request.number, request.requested_by) == (NUMBER, "alice")
    page = page_of(alice, request)
    assert "1 call, 2 transcript lines, 1 recording, 1 voicemail message, 1 text, 1 order, 1 appointment" in page
    assert "Delete everything of this caller? It cannot be brought back." in page
    press(alice, request, "delete")
    assert "Being deleted" in page_of(alice, request)
    outbox.process_due([TOPIC])
    page = page_of(alice, request)
    assert "Removed" in page
    assert "1 call, 2 transcript lines" in page
    assert str(request.pk) in page
    assert NUMBER not in alice.get(LIST).content.decode() + page


@pytest.mark.parametrize("typed", ["", "12", "pizza", "\x00", "+49" + "1" * 50])
def test_what_is_no_number_is_refused(alice: Client, harbour: Organization, typed: str) -> None:
    response = alice.post(f"{LIST}add/", {"organization": str(harbour.pk), "number": typed})
    assert response.status_code == 200
    assert not CallerRequest.objects.exists()


def test_the_export_has_everything_and_the_audio(alice: Client, request_of_caller: CallerRequest) -> None:
    response = alice.post(f"{LIST}{request_of_caller.pk}/press/export/")
    assert response["Content-Disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response)))
    data = json.loads(archive.read("data.json"))
    text = json.dumps(data)
    assert all(sign in text for sign in (NUMBER, NAME, WORD, PLACE))
    assert [line["text"] for line in data["calls"][0]["lines"]] == [
        f"I am {NAME}, {NUMBER}.",
        f"The {WORD} in {PLACE}.",
    ]
    assert data["audioThatCouldNotBeRead"] == {}
    assert "words" not in data["calls"][0]["lines"][0]
    assert not {"sealed", "token", "secret"} & set(text.replace("_", " ").split())
    audio = [name for name in archive.namelist() if name.startswith("audio/")]
    assert [archive.read(name) for name in audio] == [b"OggS" + WORD.encode()]
    request_of_caller.refresh_from_db()
    assert request_of_caller.exported_at is not None


def test_a_hold_is_said_on_the_page(alice: Client, request_of_caller: CallerRequest) -> None:
    PrivacySettings.objects.create(organization=request_of_caller.organization, is_on_hold=True, hold_reason="A case")
    response = alice.post(f"{LIST}{request_of_caller.pk}/press/delete/", follow=True)
    assert "A legal hold is on" in response.content.decode()
    request_of_caller.refresh_from_db()
    assert request_of_caller.state == State.OPEN


def test_staff_and_strangers_get_no_request(request_of_caller: CallerRequest, harbour: Organization) -> None:
    page = reverse("admin:telephony_callerrequest_change", args=(request_of_caller.pk,))
    staff = client_of(harbour, Role.STAFF, "bob")
    assert staff.get(LIST).status_code == 403
    charlie = client_of(make_organization("Meadow"), Role.OWNER, "charlie")
    assert charlie.get(page).status_code in (302, 404)
    for client in (staff, charlie):
        for button in ("export", "delete", "close"):
            assert client.post(f"{LIST}{request_of_caller.pk}/press/{button}/").status_code in (403, 404)
    request_of_caller.refresh_from_db()
    assert request_of_caller.state == State.OPEN
