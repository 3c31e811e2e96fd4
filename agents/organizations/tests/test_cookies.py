"""Browsers send cookies by themselves: what changes something must come from a page that we know."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from django.test.utils import override_settings

from agents.organizations.models import Organization
from agents.tests.builders import make_user
from voiceapp.providers.tests.clerk_instance import PAGE, ClerkInstance

pytestmark = [pytest.mark.urls("agents.tests.customer_views"), pytest.mark.django_db]
JSON = "application/json"
SECRET = "s" * 32


def post(client: Client, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/calls", {}, content_type=JSON, headers=named).status_code


@pytest.mark.parametrize("name", ["__session", "__session_a1B2c3-_"])
def test_clerks_cookie_reads(visitor: Client, clerk: ClerkInstance, name: str) -> None:
    visitor.cookies[name] = clerk.token()
    assert visitor.get("/calls").json()["subject"] == "user_alice"


@pytest.mark.parametrize("name", ["session", "x__session", "__sessions", "__Session", "__session_" + "a" * 65])
def test_no_other_cookie_does(visitor: Client, clerk: ClerkInstance, name: str) -> None:
    visitor.cookies[name] = clerk.token()
    assert visitor.get("/calls").status_code == 401


def test_a_cookie_that_names_no_page_is_refused(visitor: Client, clerk: ClerkInstance) -> None:
    token = clerk.token(azp=None)
    visitor.cookies["__session"] = token
    assert visitor.get("/calls").status_code == 401
    assert Client().get("/calls", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_write_by_clerks_cookie_needs_an_origin_that_is_allowed(visitor: Client, clerk: ClerkInstance) -> None:
    visitor.cookies["__session"] = clerk.token()
    assert post(visitor, Origin=PAGE) == 200
    assert post(visitor) == 403
    for origin in ("https://evil.example", "null", "", PAGE + ".evil.example", PAGE + "/", "http://app.example.com"):
        assert post(visitor, Origin=origin) == 403, origin
    assert post(visitor, Referer=PAGE + "/page") == 403


def test_a_wrong_cookie_is_401_wherever_it_comes_from(visitor: Client, clerk: ClerkInstance) -> None:
    visitor.cookies["__session"] = clerk.token(exp=1)
    assert post(visitor, Origin="https://evil.example") == 401


def test_a_stale_cookie_beside_the_current_one_does_no_harm(visitor: Client, clerk: ClerkInstance) -> None:
    now = int(time.time())
    visitor.cookies["__session_old"] = clerk.token("user_alice", exp=now - 600)
    visitor.cookies["__session"] = clerk.token("user_alice")
    assert visitor.get("/calls").status_code == 200


def test_of_two_good_cookies_the_one_issued_last_counts(visitor: Client, clerk: ClerkInstance) -> None:
    now = int(time.time())
    visitor.cookies["__session_a"] = clerk.token("user_alice", iat=now - 5)
    visitor.cookies["__session_b"] = clerk.token("user_bob", iat=now)
    visitor.cookies["__session_c"] = clerk.token("user_charlie", iat=now - 10)
    assert visitor.get("/calls").json()["subject"] == "user_bob"


def test_a_jar_full_of_cookies_costs_a_bounded_number_of_checks(visitor: Client, clerk: ClerkInstance) -> None:
    for number in range(20):
        visitor.cookies[f"__session_{number}"] = "a.b.c"
    visitor.cookies["__session_z"] = clerk.token()
    assert visitor.get("/calls").status_code == 401


def test_a_write_by_a_django_session_needs_the_csrf_token(visitor: Client, harbour: Organization) -> None:
    visitor.force_login(make_user("alice", harbour))
    assert visitor.get("/calls").status_code == 200
    assert post(visitor) == 403
    visitor.cookies["csrftoken"] = SECRET
    assert post(visitor) == 403
    assert post(visitor, X_CSRFToken="t" * 32) == 403
    assert post(visitor, X_CSRFToken=SECRET) == 200
    with override_settings(CSRF_TRUSTED_ORIGINS=[PAGE]):
        assert post(visitor, X_CSRFToken=SECRET, Origin=PAGE) == 200
    assert post(visitor, X_CSRFToken=SECRET, Origin="https://evil.example") == 403


def test_a_signed_in_django_session_comes_before_clerks_cookie(
    visitor: Client, clerk: ClerkInstance, harbour: Organization
) -> None:
    alice = make_user("alice", harbour)
    visitor.force_login(alice)
    visitor.cookies["__session"] = clerk.token("user_charlie")
    assert visitor.get("/calls").json()["subject"] == str(alice.pk)
    assert post(visitor, Origin=PAGE) == 403  # the session's rule holds: no CSRF token


def test_a_signed_out_session_leaves_clerks_cookie(visitor: Client, clerk: ClerkInstance) -> None:
    visitor.cookies["sessionid"] = "gone"
    visitor.cookies["__session"] = clerk.token()
    assert visitor.get("/calls").json()["subject"] == "user_alice"


def test_a_blocked_django_user_is_out_at_once(visitor: Client, harbour: Organization) -> None:
    alice = make_user("alice", harbour)
    visitor.force_login(alice)
    alice.is_active = False
    alice.save()
    assert visitor.get("/calls").status_code == 401
