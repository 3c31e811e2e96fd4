"""API keys: what is kept of them, how they end, what they may do, and what their use costs."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.organizations.models import ApiKey, Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import OVERLAP, find_key, issue_key, revoke_key, rotate_key
from voiceapp.core.errors import ApplicationError

pytestmark = [pytest.mark.urls("agents.tests.customer_views"), pytest.mark.django_db]
JSON = "application/json"


def status(text: str, method: str = "GET", path: str = "/calls") -> int:
    return Client().generic(method, path, "{}", JSON, headers={"X-API-Key": text}).status_code


def test_no_stored_value_works_as_a_key(harbour: Organization) -> None:
    issued = issue_key(harbour, name="website")
    row = ApiKey.objects.values().get()
    assert issued.text.split("_", 2)[2] not in str(row)
    for value in row.values():
        for text in (str(value), f"va_{row['prefix']}_{value}", f"va_{row['prefix']}_{str(value)[:43]}"):
            assert find_key(text) is None
    assert find_key(issued.text) == issued.key


def test_one_wrong_sign_keeps_it_shut(harbour: Organization) -> None:
    text = issue_key(harbour, name="website").text
    other = "A" if text[-1] != "A" else "B"
    for wrong in (text[:-1] + other, text[:-1], text + "A", text.upper(), f" {text} x", text.replace("va_", "vb_")):
        assert status(wrong) == 401, wrong
    assert status(text) == 200


def test_two_keys_differ_in_all(harbour: Organization) -> None:
    texts = {issue_key(harbour, name="website").text for _ in range(50)}
    assert len({text.split("_", 2)[1] for text in texts}) == len({text.split("_", 2)[2] for text in texts}) == 50


def test_a_revoked_key_is_out_at_once_and_for_good(harbour: Organization) -> None:
    issued = issue_key(harbour, name="website")
    assert status(issued.text) == 200
    assert revoke_key(issued.key)
    assert status(issued.text) == 401
    first = issued.key.revoked_at
    assert not revoke_key(issued.key)
    assert issued.key.revoked_at == first


def test_an_expired_key_is_out_from_that_instant(harbour: Organization) -> None:
    end = timezone.now() + dt.timedelta(days=1)
    text = issue_key(harbour, name="website", expires_at=end).text
    with time_machine.travel(end - dt.timedelta(milliseconds=1), tick=False):
        assert status(text) == 200
    with time_machine.travel(end, tick=False):
        assert status(text) == 401


def test_a_key_that_could_do_nothing_is_not_made(harbour: Organization) -> None:
    with pytest.raises(ApplicationError):
        issue_key(harbour, name="website", scopes=[])
    with pytest.raises(ApplicationError):
        issue_key(harbour, name="website", expires_at=timezone.now())
    assert not ApiKey.objects.exists()


# Rotation


def test_a_rotated_key_and_its_successor_overlap(harbour: Organization) -> None:
    old = issue_key(harbour, name="website", scopes=[Scope.CALLS_READ])
    new = rotate_key(old.key, by="alice")
    assert (new.key.name, new.key.scopes, new.key.created_by) == ("website", ["calls:read"], "alice")
    assert (status(old.text), status(new.text)) == (200, 200)
    with time_machine.travel(timezone.now() + OVERLAP + dt.timedelta(seconds=1)):
        assert (status(old.text), status(new.text)) == (401, 200)


def test_rotation_never_makes_a_key_live_longer(harbour: Organization) -> None:
    soon = timezone.now() + dt.timedelta(hours=1)
    old = issue_key(harbour, name="website", expires_at=soon)
    new = rotate_key(old.key)
    assert old.key.expires_at == soon
    assert new.key.expires_at is not None
    assert abs(new.key.expires_at - soon) < dt.timedelta(minutes=1)


def test_revoking_the_old_key_ends_the_overlap_and_spares_the_new(harbour: Organization) -> None:
    old = issue_key(harbour, name="website")
    new = rotate_key(old.key)
    revoke_key(old.key)
    assert (status(old.text), status(new.text)) == (401, 200)


def test_a_key_is_rotated_once_and_only_while_it_works(harbour: Organization) -> None:
    old = issue_key(harbour, name="website")
    rotate_key(old.key)
    with pytest.raises(ApplicationError):
        rotate_key(old.key)
    revoked = issue_key(harbour, name="other")
    revoke_key(revoked.key)
    with pytest.raises(ApplicationError):
        rotate_key(revoked.key)
    assert ApiKey.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_people_who_rotate_at_once_make_one_successor(harbour: Organization) -> None:
    key = issue_key(harbour, name="website").key

    def rotate(_: int) -> bool:
        try:
            rotate_key(ApiKey.objects.get(pk=key.pk))
        except ApplicationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(rotate, range(4))) == 1
    assert ApiKey.objects.count() == 2


# Scopes


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("GET", "/calls", "calls:read"), ("POST", "/calls", "calls:write"), ("POST", "/realtime", "sessions:write")],
)
def test_a_key_does_what_its_scopes_say_and_nothing_else(
    harbour: Organization, method: str, path: str, scope: str
) -> None:
    only = issue_key(harbour, name="only", scopes=[Scope(scope)]).text
    others = issue_key(harbour, name="others", scopes=[each for each in Scope if each != scope]).text
    assert status(only, method, path) == 200
    assert status(others, method, path) == 403


def test_a_wrong_method_is_405_whatever_the_scopes(harbour: Organization) -> None:
    text = issue_key(harbour, name="website", scopes=[Scope.RECORDINGS_READ]).text
    for method, path in (("DELETE", "/calls"), ("GET", "/realtime"), ("OPTIONS", "/calls"), ("BREW", "/realtime")):
        assert status(text, method, path) == 405, method


def test_a_scope_that_no_longer_exists_allows_nothing(harbour: Organization) -> None:
    issued = issue_key(harbour, name="website")
    ApiKey.objects.update(scopes=["calls:everything", 7, None])
    assert status(issued.text) == 403


# Use


def test_use_is_noted_at_most_once_a_minute(
    harbour: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issued = issue_key(harbour, name="website")
    noon = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
    with time_machine.travel(noon, tick=False) as clock:
        find_key(issued.text)
        clock.shift(59)
        with django_assert_num_queries(1):
            find_key(issued.text)
        issued.key.refresh_from_db()
        assert issued.key.last_used_at == noon
        clock.shift(1)
        find_key(issued.text)
        issued.key.refresh_from_db()
        assert issued.key.last_used_at == noon + dt.timedelta(minutes=1)


def test_a_refused_key_was_not_used(harbour: Organization) -> None:
    issued = issue_key(harbour, name="website")
    find_key(issued.text[:-1] + ("A" if issued.text[-1] != "A" else "B"))
    issued.key.refresh_from_db()
    assert issued.key.last_used_at is None


def test_a_failure_to_record_the_last_use_refuses_no_request(
    harbour: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = issue_key(harbour, name="website")

    def broken(*_: object, **__: object) -> None:
        raise DatabaseError("locked")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", broken)
    assert find_key(issued.text) == issued.key
