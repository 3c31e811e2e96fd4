"""`GET /api/voice/search`."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization, make_user
from sessions.calls.models import Call, CallKind, TranscriptLine
from voiceapp.tests.limits import raise_limits

pytestmark = pytest.mark.django_db
SEARCH = "/api/voice/search"


@pytest.fixture
def harbour(settings: Settings) -> Organization:
    raise_limits(settings)
    return make_organization("Harbour")


@pytest.fixture
def line(harbour: Organization) -> TranscriptLine:
    call = Call.objects.create(organization=harbour, kind=CallKind.PHONE)
    text = "Good evening. A <Funghi> & no onions, please. Bye."
    return TranscriptLine.objects.create(call=call, item_id="1", speaker="caller", text=text, spoken_at_ms=83_400)


def client_of(organization: Organization, *scopes: Scope) -> Client:
    key = issue_key(organization, name="website", scopes=scopes or tuple(Scope)).text
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_a_hit_is_shown_in_its_sentence_and_leads_to_the_second(harbour: Organization, line: TranscriptLine) -> None:
    response = client_of(harbour).get(SEARCH, {"q": "ONIONS"})
    assert response.status_code == 200
    [hit] = response.json()["results"]
    assert response.json()["next"] is None
    assert hit == {
        "callId": str(line.call_id),
        "kind": "phone",
        "roomName": None,
        "startedAt": hit["startedAt"],
        "speaker": "caller",
        "spokenAtMs": 83_400,
        "sentence": "A <Funghi> & no onions, please.",
        "html": "A &lt;Funghi&gt; &amp; no <mark>onions</mark>, please.",
        "playPath": f"/admin/voice_sessions/call/{line.call_id}/change/?t=83",
    }


def test_pages_are_continued_by_next(harbour: Organization, line: TranscriptLine) -> None:
    for number in range(4):
        TranscriptLine.objects.create(
            call=line.call, item_id=f"more {number}", speaker="agent", text="Onions.", spoken_at_ms=number
        )
    client, seen, query = client_of(harbour), 0, {"q": "onions", "limit": "2"}
    while True:
        body = client.get(SEARCH, query).json()
        seen += len(body["results"])
        if body["next"] is None:
            break
        query["before"] = body["next"]
    assert seen == 5


def test_strangers_and_keys_without_the_scope_find_nothing(harbour: Organization, line: TranscriptLine) -> None:
    charlie = client_of(make_organization("Meadow"))
    assert charlie.get(SEARCH, {"q": "onions"}).json()["results"] == []
    assert client_of(harbour, Scope.CALLS_WRITE).get(SEARCH, {"q": "onions"}).status_code == 403
    assert Client().get(SEARCH, {"q": "onions"}).status_code == 401
    bob = Client()
    bob.force_login(make_user("bob", harbour, Role.VIEWER))
    assert len(bob.get(SEARCH, {"q": "onions"}).json()["results"]) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"q": ""}, 400),
        ({"q": "🍕"}, 400),
        ({"q": "\x00"}, 400),
        ({"q": "x" * 10_000}, 400),
        ({"q": '"'}, 400),
        ({"q": "onions", "limit": "0"}, 400),
        ({"q": "onions", "before": str(2**63)}, 400),
        ({"q": "onions", "page": "2"}, 400),
        ({"q": 'no" OR onions*) NEAR(x'}, 200),
        ({"q": "the and or"}, 200),
        ({"q": "\u202eתיתירבע\u202c"}, 200),
        ({"q": "onions", "limit": "100000"}, 200),
    ],
)
def test_hostile_queries_get_a_clear_response(
    harbour: Organization, line: TranscriptLine, query: dict[str, str], status: int
) -> None:
    response = client_of(harbour).get(SEARCH, query)
    assert response.status_code == status
    if status == 400:
        assert response.json()["message"]
        assert response.json()["details"]["fields"]


def test_a_page_takes_the_same_number_of_queries_whatever_it_finds(harbour: Organization, line: TranscriptLine) -> None:
    def queries(typed: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(SEARCH, {"q": typed})
        return len(captured)

    client = client_of(harbour)
    client.get(SEARCH, {"q": "onions"})
    one = queries("onions")
    for number in range(30):
        call = Call.objects.create(organization=harbour)
        TranscriptLine.objects.create(
            call=call, item_id=str(number), speaker="agent", text="Onions.", spoken_at_ms=number
        )
    assert queries("onions") == one
