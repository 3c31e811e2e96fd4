"""`GET /api/voice/calls`: the filters of the admin's list, pages that do not move, masked numbers."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization, make_user
from sessions.alerts.models import Alert
from sessions.calls.models import Call, CallState
from voiceapp.tests.limits import raise_limits

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
CALLS = "/api/voice/calls"
CALLER = "+4917612345678"


@pytest.fixture
def harbour(settings: Settings) -> Organization:
    raise_limits(settings)
    return make_organization("Harbour")


def add_call(organization: Organization, *, minutes_ago: int = 0, **values: object) -> Call:
    call = Call.objects.create(organization=organization, caller_number=CALLER, **values)
    Call.objects.filter(pk=call.pk).update(created_at=call.created_at - dt.timedelta(minutes=minutes_ago))
    return call


def client_of(organization: Organization, *scopes: Scope) -> Client:
    key = issue_key(organization, name="website", scopes=scopes or tuple(Scope)).text
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_pages_follow_each_other_while_calls_come_in(harbour: Organization) -> None:
    calls = [add_call(harbour, minutes_ago=each) for each in range(5)]
    Call.objects.filter(pk__in=[each.pk for each in calls[1:3]]).update(created_at=calls[1].created_at)  # a tie
    client, seen, query = client_of(harbour), [], {"limit": "2"}
    while True:
        body = client.get(CALLS, query).json()
        seen += [each["id"] for each in body["calls"]]
        add_call(harbour)
        if body["next"] is None:
            break
        query["cursor"] = body["next"]
    assert len(seen) == 5
    assert set(seen) == {str(each.pk) for each in calls}


def test_it_is_filtered_like_the_list(harbour: Organization) -> None:
    failed = add_call(harbour, state=CallState.FAILED, slowest_response_ms=4000)
    add_call(harbour, state=CallState.COMPLETED, slowest_response_ms=900)
    client = client_of(harbour)
    for query in ({"state": "failed"}, {"slowest_from": "2.5"}, {"state": "failed", "number": "0176 1234567"}):
        [found] = client.get(CALLS, query).json()["calls"]
        assert found["id"] == str(failed.pk)
    assert client.get(CALLS, {"outcome": "order"}).json()["calls"] == []
    alert = Alert.objects.create(
        organization=harbour, kind="failed_calls", since=failed.created_at, opened_at=timezone.now(),
        last_at=timezone.now(),
    )  # fmt: skip
    [found] = client.get(CALLS, {"alert": str(alert.pk)}).json()["calls"]
    assert found["id"] == str(failed.pk)


def test_numbers_are_masked_without_their_scope(harbour: Organization) -> None:
    add_call(harbour)
    client = client_of(harbour, Scope.CALLS_READ)
    [call] = client.get(CALLS).json()["calls"]
    assert call["callerNumber"] == "…78"
    # Digit by digit the whole number could be found out.
    assert client.get(CALLS, {"number": "1761234"}).json()["calls"] == []
    assert len(client.get(CALLS, {"number": CALLER}).json()["calls"]) == 1
    assert client_of(harbour).get(CALLS).json()["calls"][0]["callerNumber"] == CALLER
    bob = Client()
    bob.force_login(make_user("bob", harbour, Role.VIEWER))
    assert bob.get(CALLS).json()["calls"][0]["callerNumber"] == "…78"


def test_strangers_and_keys_without_the_scope_see_nothing(harbour: Organization) -> None:
    add_call(harbour)
    assert client_of(make_organization("Meadow")).get(CALLS).json()["calls"] == []
    assert client_of(harbour, Scope.CALLS_WRITE).get(CALLS).status_code == 403
    assert Client().get(CALLS).status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "MjAyNA"}, "cursor"),
        ({"limit": "101"}, "limit"),
        ({"since": "24.12.2026"}, "since"),
        ({"until": "9999-12-31"}, "until"),
        ({"since": "0001-01-01"}, "since"),
        ({"cost_from": "NaN"}, "cost_from"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"agent": "99"}, "agent"),
        ({"number": "1"}, "number"),
        ({"state": "on fire"}, "state"),
        ({"q": "pizza"}, "q"),
        ({"organization": "all"}, "organization"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(harbour: Organization, query: dict[str, str], field: str) -> None:
    response = client_of(harbour).get(CALLS, query)
    assert response.status_code == 400
    assert list(response.json()["details"]["fields"]) == [field]


def test_a_page_takes_the_same_number_of_queries_whatever_its_length(harbour: Organization) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(CALLS, {"limit": "100"}).status_code == 200
        return len(captured)

    client = client_of(harbour)
    add_call(harbour)
    client.get(CALLS)
    one = queries()
    for each in range(20):
        add_call(harbour, minutes_ago=each)
    assert queries() == one
