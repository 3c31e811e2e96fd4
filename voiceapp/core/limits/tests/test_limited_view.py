"""What a client of a limited endpoint sees: who is counted, the headers of every response, and the errors."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from agents.organizations.principal import Principal
from voiceapp.core.limits.counting import count, refund
from voiceapp.core.limits.limit import SESSION_CREATION
from voiceapp.core.limits.views import LimitedPrincipal

pytestmark = [
    pytest.mark.urls("voiceapp.core.limits.tests.endpoints"),
    pytest.mark.usefixtures("in_memory", "held_clock"),
]
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


# One for all, without cookies: making a client loads the whole middleware.
CLIENT = Client(raise_request_exception=False)


def send_request(
    url: str, who: str = "alice", method: str = "POST", address: str = "203.0.113.7", **headers: str
) -> Any:
    sent = {"X-Subject": who} | {name.replace("_", "-"): value for name, value in headers.items()}
    return CLIENT.generic(method, url, headers=sent, REMOTE_ADDR=address)


def remaining(response: Any) -> int:
    return int(response["X-RateLimit-Remaining"])


def test_each_answer_says_how_much_is_left_and_until_when() -> None:
    responses = [send_request("/session") for _ in range(3)]
    assert [response["X-RateLimit-Limit"] for response in responses] == ["10"] * 3
    assert [remaining(response) for response in responses] == [9, 8, 7]
    [resets_at] = {int(response["X-RateLimit-Reset"]) for response in responses}
    assert 0 < resets_at - time.time() <= 3600
    assert not any(response.has_header("Retry-After") for response in responses)


def test_one_too_many_is_refused_in_the_format_of_the_call_api() -> None:
    for _ in range(10):
        assert send_request("/session").status_code == 200
    response = send_request("/session")
    resets_at = int(response["X-RateLimit-Reset"])
    wait_s = resets_at - int(time.time())
    assert response.status_code == 429
    assert response["Content-Type"] == "application/json"
    assert response["Retry-After"] == str(wait_s)
    assert response.json() == {
        "error": "Too many requests",
        "message": "Please try again later",
        "retryAfter": wait_s,
        "limit": 10,
        "remaining": 0,
        "reset": resets_at,
    }
    assert remaining(response) == 0


def test_one_too_many_is_refused_in_the_format_of_realtime_session() -> None:
    responses = [send_request("/realtime_session") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    refusal = responses[-1].json()
    assert set(refusal) == {"error_code", "message"}
    assert refusal["error_code"] == "rate_limited"
    assert responses[-1]["Retry-After"] in refusal["message"]
    assert [responses[-1][name] for name in HEADERS[:2]] == ["3", "0"]


@pytest.mark.parametrize(
    ("url", "who", "status"),
    [
        ("/session?q=wrong", "alice", 400),
        ("/session", "", 401),
        ("/session", "mallory", 401),
        ("/session?q=broken", "alice", 500),
    ],
)
def test_errors_count_and_carry_the_headers(url: str, who: str, status: int) -> None:
    responses = [send_request(url, who, "GET") for _ in range(2)]
    assert [response.status_code for response in responses] == [status] * 2
    assert [remaining(response) for response in responses] == [99, 98]
    assert all(response.has_header(name) for response in responses for name in HEADERS)


def test_the_answer_is_json_whatever_type_is_wanted() -> None:
    response = send_request("/session", method="GET", Accept="text/csv")
    assert (response.status_code, response["Content-Type"], remaining(response)) == (200, "application/json", 99)


def test_each_is_counted_alone_and_for_each_limit_alone() -> None:
    assert remaining(send_request("/session", "alice")) == 9
    assert remaining(send_request("/session", "bob")) == 9
    assert remaining(send_request("/realtime", "alice")) == 29
    assert remaining(send_request("/session", "alice", "GET")) == 99
    assert remaining(send_request("/session", "alice")) == 8


def test_one_limit_counts_over_all_its_endpoints_and_methods() -> None:
    assert remaining(send_request("/recording", method="POST")) == 19
    assert remaining(send_request("/recording", method="PATCH")) == 18
    assert remaining(send_request("/session", method="GET")) == 99
    assert remaining(send_request("/recording", method="GET")) == 98
    assert remaining(send_request("/recording", method="HEAD")) == 97


def test_where_one_comes_from_does_not_matter_to_who_is_known() -> None:
    assert [remaining(send_request("/session", address=f"203.0.113.{last}")) for last in (1, 2, 3)] == [9, 8, 7]


def test_what_ends_a_call_is_never_limited() -> None:
    responses = [send_request(url, method="DELETE") for url in ("/session", "/recording") for _ in range(40)]
    assert {response.status_code for response in responses} == {200}
    assert not any(response.has_header(name) for response in responses for name in HEADERS)


def test_sessions_for_browsers_are_counted_per_organization() -> None:
    assert [remaining(send_request("/realtime_session", who)) for who in ("alice@diner", "bob@diner")] == [2, 1]
    assert remaining(send_request("/realtime_session", "charlie@bar")) == 2


def test_who_acts_for_no_organization_is_counted_alone() -> None:
    assert [remaining(send_request("/realtime_session", who)) for who in ("alice", "bob", "bob")] == [2, 2, 1]


def test_a_principal_has_a_tenant_to_limit_and_a_django_user_has_none() -> None:
    organization_id = uuid4()
    assert isinstance(Principal(subject="alice", organization_id=organization_id), LimitedPrincipal)
    assert Principal(subject="alice", organization_id=organization_id).tenant == str(organization_id)
    assert not isinstance(User(), LimitedPrincipal)


def test_strangers_are_counted_by_address() -> None:
    assert [remaining(send_request("/session", "", address="203.0.113.7")) for _ in range(2)] == [9, 8]
    assert remaining(send_request("/session", "", address="203.0.113.8")) == 9
    # Wrong credentials come from the same address.
    assert remaining(send_request("/session", "mallory", address="203.0.113.7")) == 7


def test_strangers_who_guess_are_refused_before_they_are_looked_at() -> None:
    statuses = [send_request("/session", "mallory").status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert send_request("/session", "alice").status_code == 200


def test_a_strangers_whole_network_is_one() -> None:
    assert remaining(send_request("/session", "", address="2001:db8:1:2::1")) == 9
    assert remaining(send_request("/session", "", address="2001:db8:1:2:ffff::9")) == 8
    assert remaining(send_request("/session", "", address="2001:db8:1:3::1")) == 9


def test_an_address_cannot_be_made_up() -> None:
    lefts = [remaining(send_request("/session", "", X_Forwarded_For=f"198.51.100.{last}")) for last in range(3)]
    assert lefts == [9, 8, 7]


def test_behind_our_proxy_the_address_is_what_it_saw(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    assert remaining(send_request("/session", "", X_Forwarded_For="6.6.6.6, 198.51.100.1")) == 9
    assert remaining(send_request("/session", "", X_Forwarded_For="7.7.7.7, 198.51.100.1")) == 8
    assert remaining(send_request("/session", "", X_Forwarded_For="7.7.7.7, 198.51.100.2")) == 9


def test_limits_are_what_the_settings_say(settings: Settings) -> None:
    settings.LIMIT_SESSION_CREATION = "2/d"
    assert [send_request("/session").status_code for _ in range(3)] == [200, 200, 429]


# What a limit is for


@pytest.mark.parametrize("why", ["form", "field", "rule", "type", "scope", "provider"])
def test_what_was_refused_before_anything_was_made_is_not_counted(why: str) -> None:
    assert {remaining(send_request(f"/session?no={why}", method="PATCH")) for _ in range(12)} == {10}
    assert remaining(send_request("/session")) == 9


@pytest.mark.parametrize("why", ["state", "missing"])
def test_what_was_refused_for_the_state_of_things_is_counted(why: str) -> None:
    assert [remaining(send_request(f"/session?no={why}", method="PATCH")) for _ in range(3)] == [9, 8, 7]


def test_a_provider_that_failed_counts_where_nothing_is_created() -> None:
    assert [remaining(send_request("/recording?no=provider", method="PATCH")) for _ in range(3)] == [19, 18, 17]


def test_after_so_many_failures_of_a_provider_each_try_counts(settings: Settings) -> None:
    settings.LIMIT_FAILED = "2/h"
    lefts = [remaining(send_request("/session?no=provider", method="PATCH")) for _ in range(4)]
    assert lefts == [10, 10, 9, 8]


def test_a_refused_request_refunds_only_itself() -> None:
    for _ in range(9):
        send_request("/session")
    assert send_request("/session?no=form", method="PATCH").status_code == 400
    assert [send_request("/session").status_code for _ in range(2)] == [200, 429]
    assert send_request("/session?no=form", method="PATCH").status_code == 429
    assert send_request("/session").status_code == 429


def test_a_request_above_the_limit_does_not_use_up_a_later_refund() -> None:
    usages = [count(SESSION_CREATION, "subject:alice") for _ in range(10)]
    assert [send_request("/session").status_code for _ in range(5)] == [429] * 5
    refund(SESSION_CREATION, "subject:alice", usages[-1])
    assert [send_request("/session").status_code for _ in range(2)] == [200, 429]


def test_a_body_that_cannot_be_read_is_not_counted_either() -> None:
    def send(method: str, body: bytes) -> Any:
        headers = {"X-Subject": "alice"}
        return CLIENT.generic(method, "/session", body, "application/json", headers=headers)

    refused = [send("GET", body) for body in (b"{", b'{"a": 1}', b"[]")]
    assert [(each.status_code, remaining(each)) for each in refused] == [(400, 99), (400, 98), (400, 97)]  # of reads
    assert send("DELETE", b'{"a": 1}').status_code == 400
    assert send("DELETE", b"{}").status_code == 200


# Wrong credentials


@pytest.mark.parametrize("method", ["DELETE", "PUT", "OPTIONS", "TRACE", "GET", "POST", "HEAD"])
def test_wrong_credentials_are_limited_on_every_method(method: str, settings: Settings) -> None:
    settings.LIMIT_WRONG_CREDENTIALS = "3/m"
    responses = [send_request("/session", "mallory", method) for _ in range(5)]
    assert [response.status_code for response in responses] == [401] * 3 + [429] * 2
    assert 1 <= int(responses[-1]["Retry-After"]) <= 60


def test_wrong_credentials_are_counted_over_methods_and_endpoints_together(settings: Settings) -> None:
    settings.LIMIT_WRONG_CREDENTIALS = "3/m"
    requests = [("/session", "DELETE"), ("/recording", "GET"), ("/realtime", "PATCH"), ("/realtime_session", "DELETE")]
    assert [send_request(url, "mallory", method).status_code for url, method in requests] == [401, 401, 401, 429]


def test_wrong_credentials_from_an_address_refuse_no_valid_or_anonymous_request_from_it(settings: Settings) -> None:
    settings.LIMIT_WRONG_CREDENTIALS = "1/m"
    assert [send_request("/session", "mallory", "DELETE").status_code for _ in range(2)] == [401, 429]
    assert send_request("/session", "alice", "DELETE").status_code == 200
    assert send_request("/session", "", "DELETE").status_code == 401
    assert send_request("/session", "mallory", "DELETE", address="203.0.113.8").status_code == 401
