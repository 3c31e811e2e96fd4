"""Visitors call without an account where the organization lets them, and reach nothing but their own call."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from agents.call_page.models import CallAccess, CallPage
from agents.organizations.models import Organization
from agents.organizations.principal import Kind
from agents.tests.builders import make_agent
from sessions.calls.models import Call
from sessions.tests.builders import make_room_call
from sessions.visitors.models import VisitorCall
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from ..access import VISITOR_HEADER, visitor_by
from ..visitor_tokens import BEGINS_WITHIN, VALID_FOR
from .conftest import open_to
from .test_call_page import member_of

SITE = "https://www.example.com"


@pytest.fixture(autouse=True)
def committed(transactional_db: None) -> None:
    """LiveKit's answers are processed in other threads."""


def token_of(organization: Organization, client: Client | None = None) -> str:
    """What the page carries for a visitor."""
    page = (client or Client()).get(f"/call/{organization.slug}")
    assert page.status_code == 200
    found = re.search(r'data-visitor-token="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def begin(organization: Organization, token: str, **headers: str) -> tuple[int, dict[str, object]]:
    """A call, without a cookie."""
    answer = Client(enforce_csrf_checks=True).post(
        f"/call/{organization.slug}/session",
        {},
        content_type="application/json",
        headers={VISITOR_HEADER: token} | headers,
    )
    return answer.status_code, answer.json()


def follow(organization: Organization, call_id: object, token: str, method: str = "get") -> int:
    path, headers = f"/call/{organization.slug}/calls/{call_id}", {VISITOR_HEADER: token}
    client = Client(enforce_csrf_checks=True)
    return (client.get if method == "get" else client.delete)(path, headers=headers).status_code


def test_a_public_page_opens_without_signing_in_and_sets_no_cookie(harbour: Organization, meadow: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    visitor = Client()
    page = visitor.get(f"/call/{harbour.slug}")
    assert page.status_code == 200
    assert not page.cookies
    assert "csrfmiddlewaretoken" not in page.content.decode()
    assert "/admin/" not in page.content.decode()
    for closed in (f"/call/{meadow.slug}", "/call/nowhere"):
        assert visitor.get(closed).status_code == 302, "where visitors may not call, nothing says that it exists"


def test_staff_are_staff_on_a_public_page_and_strangers_visitors(harbour: Organization, meadow: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    alice, charlie = member_of(harbour), member_of(meadow, name="charlie")
    assert 'data-visitor-token=""' in alice.get(f"/call/{harbour.slug}").content.decode()
    assert token_of(harbour, charlie)


def test_a_visitor_calls_follows_the_call_and_ends_it(livekit: RunningLiveKit, harbour: Organization) -> None:
    make_agent(harbour, voice="cedar")
    open_to(harbour, CallAccess.LINK)
    token = token_of(harbour)
    status, body = begin(harbour, token)
    assert status == 200, body
    call = Call.objects.get()
    assert call.organization == harbour
    assert call.owner.startswith("visitor_")
    assert not call.is_recording_wanted
    assert VisitorCall.objects.get().call == call
    assert call.room_agents.get().voice == "cedar", "the voice that the operator has published"
    assert follow(harbour, call.pk, token) == 200
    assert follow(harbour, call.pk, token, "delete") == 200
    call.refresh_from_db()
    assert (call.state, call.end_reason) == ("missed", "ended_by_request")


def test_a_token_begins_one_call_and_the_page_gets_another(livekit: RunningLiveKit, harbour: Organization) -> None:
    page = open_to(harbour, CallAccess.LINK)
    token = token_of(harbour)
    assert begin(harbour, token)[0] == 200
    status, body = begin(harbour, token)
    assert (status, body["code"]) == (409, "token_used")
    another = Client(enforce_csrf_checks=True).post(
        f"/call/{harbour.slug}/visitor", {}, content_type="application/json"
    )
    assert another.status_code == 201
    assert begin(harbour, another.json()["token"])[0] == 200
    CallPage.objects.filter(pk=page.pk).update(who_may_call=CallAccess.STAFF)
    closed = Client().post(f"/call/{harbour.slug}/visitor", {}, content_type="application/json")
    assert closed.status_code == 404
    assert begin(harbour, another.json()["token"])[1]["code"] == "staff_only"


def test_a_token_of_one_organization_opens_nothing_of_another(harbour: Organization, meadow: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    open_to(meadow, CallAccess.LINK)
    token = token_of(harbour)
    assert begin(meadow, token) == begin(meadow, "forged") or begin(meadow, token)[1]["code"] == "token_refused"
    assert begin(meadow, token)[0] == 403
    of_meadow, of_harbour = make_room_call(meadow), make_room_call(harbour, room_name="another-room")
    assert follow(meadow, of_meadow.pk, token) == 403
    assert follow(harbour, of_meadow.pk, token) == 404
    assert follow(harbour, of_harbour.pk, token) == 404, "a colleague's call is no visitor's"
    assert follow(harbour, of_harbour.pk, token, "delete") == 404


def test_a_token_expires(livekit: RunningLiveKit, harbour: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    began, late = token_of(harbour), token_of(harbour)
    assert begin(harbour, began)[0] == 200
    call = Call.objects.get()
    with time_machine.travel(timezone.now() + BEGINS_WITHIN, tick=True):
        status, body = begin(harbour, late)
        assert (status, body["code"]) == (403, "token_expired")
        assert follow(harbour, call.pk, began) == 200
    with time_machine.travel(timezone.now() + VALID_FOR + dt.timedelta(seconds=5), tick=True):
        assert follow(harbour, call.pk, began) == 403


@pytest.mark.parametrize("text", ["x", "a.b.c", "é", "." * 500])
def test_a_forged_token_is_refused(harbour: Organization, text: str) -> None:
    open_to(harbour, CallAccess.LINK)
    status, body = begin(harbour, text)
    assert (status, body["code"]) == (403, "token_refused")


def test_a_visitor_is_no_principal_of_the_organization(harbour: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    make_room_call(harbour)
    caller = visitor_by(token_of(harbour), harbour.slug)
    principal = caller.principal
    assert principal.kind is Kind.VISITOR
    assert not principal.organization_ids
    assert not principal.sees_all
    assert principal.role is None
    assert not Call.objects.reachable_by(principal).exists()
    assert not Organization.objects.visible_to(principal).exists()
    assert not caller.sees_cost
    for path in ("/api/voice/session", "/api/voice/recording"):
        assert Client().get(path, headers={VISITOR_HEADER: token_of(harbour)}).status_code == 401


def test_the_page_may_be_shown_by_the_named_websites_alone(harbour: Organization, meadow: Organization) -> None:
    open_to(harbour, CallAccess.SITES, f"{SITE}\nhttps://shop.example")
    inside = Client().get(f"/call/{harbour.slug}", headers={"Sec-Fetch-Dest": "iframe"})
    assert inside.status_code == 200
    policy = inside["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {SITE} https://shop.example;" in policy
    assert "X-Frame-Options" not in inside
    alone = Client().get(f"/call/{harbour.slug}", headers={"Sec-Fetch-Dest": "document"})
    assert alone.status_code == 403
    assert f"Open {SITE} and call there." in alone.content.decode()
    CallPage.objects.update(who_may_call=CallAccess.STAFF)
    staff = member_of(harbour).get(f"/call/{harbour.slug}")
    assert "frame-ancestors 'self';" in staff["Content-Security-Policy"], "for the preview in the admin"


def test_scripts_of_named_websites_may_request_the_endpoints(harbour: Organization) -> None:
    open_to(harbour, CallAccess.SITES, SITE)
    path = f"/call/{harbour.slug}/visitor"
    named = Client().options(path, headers={"Origin": SITE})
    assert named.status_code == 204
    assert named["Access-Control-Allow-Origin"] == SITE
    assert VISITOR_HEADER in named["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in named
    posted = Client().post(path, {}, content_type="application/json", headers={"Origin": SITE})
    assert (posted.status_code, posted["Access-Control-Allow-Origin"]) == (201, SITE)
    other = Client().options(path, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other


def test_without_a_session_or_a_token_the_page_says_to_sign_in(harbour: Organization) -> None:
    answer = Client().post(f"/call/{harbour.slug}/session", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")
