"""Browsers send cookies by themselves: what changes something must come from a page that we know."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from django.test.utils import override_settings

from agents.models import Organization
from voiceapp.tests.providers.clerk_instance import PAGE, ClerkInstance

from .builders import make_user

pytestmark = [pytest.mark.urls("agents.tests.customer_doors"), pytest.mark.django_db]
JSON = "application/json"
SECRET = "s" * 32


def post(client: Client, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/calls", {}, content_type=JSON, headers=named).status_code


@pytest.mark.parametrize("name", ["__session", "__session_a1B2c3-_"])
def test_clerks_cookie_reads(browser: Client, clerk: ClerkInstance, name: str) -> None:
    browser.cookies[name] = clerk.token()
    assert browser.get("/calls").json()["subject"] == "user_alice"


@pytest.mark.parametrize("name", ["session", "x__session", "__sessions", "__Session", "__session_" + "a" * 65])
def test_no_other_cookie_does(browser: Client, clerk: ClerkInstance, name: str) -> None:
    browser.cookies[name] = clerk.token()
    assert browser.get("/calls").status_code == 401


def test_a_cookie_that_names_no_page_is_refused(browser: Client, clerk: ClerkInstance) -> None:
    token = clerk.token(azp=None)
    browser.cookies["__session"] = token
    assert browser.get("/calls").status_code == 401
    assert Client().get("/calls", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_write_by_clerks_cookie_needs_an_origin_that_is_allowed(browser: Client, clerk: ClerkInstance) -> None:
    browser.cookies["__session"] = clerk.token()
    assert post(browser, Origin=PAGE) == 200
    assert post(browser) == 403
    for origin in ("https://evil.example", "null", "", PAGE + ".evil.example", PAGE + "/", "http://app.example.com"):
        assert post(browser, Origin=origin) == 403, origin
    assert post(browser, Referer=PAGE + "/page") == 403


def test_a_wrong_cookie_is_401_wherever_it_comes_from(browser: Client, clerk: ClerkInstance) -> None:
    browser.cookies["__session"] = clerk.token(exp=1)
    assert post(browser, Origin="https://evil.example") == 401


def test_a_stale_cookie_beside_the_current_one_does_no_harm(browser: Client, clerk: ClerkInstance) -> None:
    now = int(time.time())
    browser.cookies["__session_old"] = clerk.token("user_alice", exp=now - 600)
    browser.cookies["__session"] = clerk.token("user_alice")
    assert browser.get("/calls").status_code == 200


def test_of_two_good_cookies_the_one_issued_last_counts(browser: Client, clerk: ClerkInstance) -> None:
    now = int(time.time())
    browser.cookies["__session_a"] = clerk.token("user_alice", iat=now - 5)
    browser.cookies["__session_b"] = clerk.token("user_bob", iat=now)
    browser.cookies["__session_c"] = clerk.token("user_charlie", iat=now - 10)
    assert browser.get("/calls").json()["subject"] == "user_bob"


def test_a_jar_full_of_cookies_costs_a_bounded_number_of_checks(browser: Client, clerk: ClerkInstance) -> None:
    for number in range(20):
        browser.cookies[f"__session_{number}"] = "a.b.c"
    browser.cookies["__session_z"] = clerk.token()
    assert browser.get("/calls").status_code == 401


def test_a_write_by_a_django_session_needs_the_csrf_token(browser: Client, harbour: Organization) -> None:
    browser.force_login(make_user("alice", harbour))
    assert browser.get("/calls").status_code == 200
    assert post(browser) == 403
    browser.cookies["csrftoken"] = SECRET
    assert post(browser) == 403
    assert post(browser, X_CSRFToken="t" * 32) == 403
    assert post(browser, X_CSRFToken=SECRET) == 200
    with override_settings(CSRF_TRUSTED_ORIGINS=[PAGE]):
        assert post(browser, X_CSRFToken=SECRET, Origin=PAGE) == 200
    assert post(browser, X_CSRFToken=SECRET, Origin="https://evil.example") == 403


def test_a_signed_in_django_session_comes_before_clerks_cookie(
    browser: Client, clerk: ClerkInstance, harbour: Organization
) -> None:
    alice = make_user("alice", harbour)
    browser.force_login(alice)
    browser.cookies["__session"] = clerk.token("user_charlie")
    assert browser.get("/calls").json()["subject"] == str(alice.pk)
    assert post(browser, Origin=PAGE) == 403  # the session's rule holds: no CSRF token


def test_a_signed_out_session_leaves_clerks_cookie(browser: Client, clerk: ClerkInstance) -> None:
    browser.cookies["sessionid"] = "gone"
    browser.cookies["__session"] = clerk.token()
    assert browser.get("/calls").json()["subject"] == "user_alice"


def test_a_blocked_django_user_is_out_at_once(browser: Client, harbour: Organization) -> None:
    alice = make_user("alice", harbour)
    browser.force_login(alice)
    alice.is_active = False
    alice.save()
    assert browser.get("/calls").status_code == 401
