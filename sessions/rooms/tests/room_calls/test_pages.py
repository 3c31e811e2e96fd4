"""Pages of one's calls: whose, in which order, and at what price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from agents.organizations.services import issue_key
from agents.tests.people import ApiClient, token_of
from sessions.calls.models import Call, CallKind, TranscriptLine
from sessions.calls.queries import call_page
from sessions.tests.builders import make_room_call
from voiceapp.providers.tests.clerk_instance import ClerkInstance

from .api_requests import SESSION


def calls_at(organization: Organization | None, timestamps: list[int], **values: object) -> list[Call]:
    """Calls of Alice's that began so many seconds ago."""
    now = timezone.now().replace(microsecond=0)
    calls = []
    for number, ago_s in enumerate(timestamps):
        call = make_room_call(organization, room_name=f"room-{Call.objects.count()}-{number}", **values)
        Call.objects.filter(pk=call.pk).update(created_at=now - dt.timedelta(seconds=ago_s))
        calls.append(call)
    return calls


def rooms(api: ApiClient, **query: object) -> list[str]:
    return [each["roomName"] for each in api.get(SESSION, **query).json()["sessions"]]


def test_the_newest_come_first_and_pages_join_without_seams(alice: ApiClient, harbour: Organization) -> None:
    # Three at the same time: their order has to be some, and always the same.
    calls = calls_at(harbour, [50, 10, 30, 30, 30, 20, 40])
    whole = rooms(alice, limit=100)
    assert whole[0] == calls[1].room_name
    assert whole[-1] == calls[0].room_name
    assert [each for start in range(0, 7, 2) for each in rooms(alice, limit=2, offset=start)] == whole
    assert len(set(whole)) == 7


def test_a_page_has_ten_calls_by_default_and_a_hundred_at_most(alice: ApiClient, harbour: Organization) -> None:
    calls_at(harbour, list(range(105)))
    default, most = alice.get(SESSION).json(), alice.get(SESSION, limit=5000).json()
    assert (default["count"], default["limit"], default["offset"], default["total"]) == (10, 10, 0, 105)
    assert (most["count"], most["limit"], most["total"]) == (100, 100, 105)


def test_beyond_the_end_there_is_an_empty_page(alice: ApiClient, harbour: Organization) -> None:
    calls_at(harbour, [1, 2])
    body = alice.get(SESSION, offset=2).json()
    assert body == {"success": True, "count": 0, "total": 2, "limit": 10, "offset": 2, "sessions": []}


def test_calls_can_be_filtered_by_one_status(alice: ApiClient, harbour: Organization) -> None:
    missed = calls_at(harbour, [1, 2], state="missed", connected_at=None)
    calls_at(harbour, [3])
    body = alice.get(SESSION, status="missed", limit=1).json()
    assert (body["total"], [each["roomName"] for each in body["sessions"]]) == (2, [missed[0].room_name])
    assert alice.get(SESSION, status="failed").json()["total"] == 0


def test_people_see_their_own_and_those_to_them_and_a_key_all(
    alice: ApiClient,
    bob: ApiClient,
    mia: ApiClient,
    website: ApiClient,
    charlie: ApiClient,
    harbour: Organization,
    meadow: Organization,
) -> None:
    (own,) = calls_at(harbour, [10])
    (to_bob,) = calls_at(harbour, [20], call_type="user-to-user", callee="user_bob")
    (bobs,) = calls_at(harbour, [30], owner="user_bob")
    calls_at(meadow, [40], owner="user_alice")  # in another organization
    calls_at(None, [50])  # without an organization
    calls_at(harbour, [60], kind=CallKind.PHONE, owner="user_alice")
    assert rooms(alice) == [own.room_name, to_bob.room_name]
    assert rooms(bob) == [to_bob.room_name, bobs.room_name]
    assert rooms(mia) == []
    assert rooms(website) == [own.room_name, to_bob.room_name, bobs.room_name]
    assert rooms(charlie) == []


def test_a_superuser_lists_what_is_theirs(harbour: Organization) -> None:
    calls_at(harbour, [1])
    (own,) = calls_at(None, [2], owner="1")
    page = call_page(Principal(subject="1", sees_all=True), limit=10, offset=0)
    assert [each.call for each in page.calls] == [own]


@pytest.mark.parametrize("who", ["alice", "website"])
def test_a_page_takes_the_same_queries_whatever_is_on_it(who: str, harbour: Organization, clerk: ClerkInstance) -> None:
    token = token_of(clerk, "user_alice", harbour) if who == "alice" else issue_key(harbour, name="website").text
    browser = Client(headers={"Authorization": f"Bearer {token}"})

    def queries_of(count: int, **query: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            body = browser.get(SESSION, query).json()
        assert body["count"] == count
        return len(captured)

    queries_of(0)  # what is done once per process is done
    calls = calls_at(harbour, list(range(30)))
    first = queries_of(1, limit=1)
    for call in calls:
        call.recordings.create(state="stored", size_bytes=5, transcript="Words.")
        TranscriptLine.objects.create(call=call, item_id="1", speaker="caller", text="Hello", spoken_at_ms=0)
    assert queries_of(30, limit=100) == queries_of(10, offset=20) == queries_of(10, status="connected") == first
    assert first <= 6


def test_what_is_big_is_not_read_for_a_list(harbour: Organization) -> None:
    calls_at(harbour, [1], metadata={"big": "x" * 100})
    with CaptureQueriesContext(connection) as captured:
        call_page(Principal(subject="user_alice", organization_ids=frozenset({harbour.pk})), limit=10, offset=0)
    assert len(captured) == 3
    assert not any('"metadata"' in query["sql"] or '"usage"' in query["sql"] for query in captured)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plan")
@pytest.mark.parametrize("kind", [Kind.CLERK, Kind.KEY])
@pytest.mark.parametrize("status", ["", "completed"])
def test_counting_and_skipping_touch_an_index_alone(
    harbour: Organization, kind: Kind, status: str, plans: Callable[[list[str]], list[str]]
) -> None:
    calls_at(harbour, [1])
    principal = Principal(
        subject="user_alice", organization_ids=frozenset({harbour.pk}), kind=kind, organization_id=harbour.pk
    )
    Call.objects.update(state="completed")
    with CaptureQueriesContext(connection) as captured:
        call_page(principal, status=status, limit=10, offset=0)
    count, page, _rows = (query["sql"] for query in captured)
    for plan in plans([count, page]):
        assert "COVERING INDEX call_of" in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "SCAN voice_sessions_call" not in plan, plan


@pytest.fixture
def plans(db: None) -> Callable[[list[str]], list[str]]:
    def read(queries: list[str]) -> list[str]:
        found = []
        with connection.cursor() as cursor:
            for query in queries:
                cursor.execute(f"EXPLAIN QUERY PLAN {query}")
                found.append("\n".join(row[3] for row in cursor.fetchall()))
        return found

    return read
