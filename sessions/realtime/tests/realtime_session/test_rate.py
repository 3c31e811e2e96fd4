"""Three a minute for each organization, exactly, however many requests come at once."""

from __future__ import annotations

from collections import Counter

import pytest
import time_machine
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from voiceapp.core.limits.tests.crowd import at_once
from voiceapp.simulators.openai import OpenAISimulator

from .conftest import BODY, SendRequest

NOW = "2026-11-21T10:17:23Z"


@pytest.fixture(autouse=True)
def default_limit(send_request: SendRequest, settings: Settings) -> None:
    settings.LIMIT_REALTIME_SESSION = "3/m"


def test_of_64_at_once_three_open_a_session(send_request: SendRequest, alices: Organization) -> None:
    keys = [issue_key(alices, name=f"key {number}").text for number in range(4)] * 16
    with time_machine.travel(NOW, tick=False):
        answers = at_once(64, lambda: send_request(key=keys.pop()))
    assert Counter(answer.status_code for answer in answers) == {200: 3, 429: 61}
    left = sorted(int(answer.headers["X-RateLimit-Remaining"]) for answer in answers if answer.status_code == 200)
    assert left == [0, 1, 2]
    for answer in answers:
        assert answer.headers["X-RateLimit-Limit"] == "3"
        assert int(answer.headers["X-RateLimit-Reset"]) > 0
        if answer.status_code == 429:
            assert set(answer.json()) == {"error_code", "message"}
            assert answer.json()["error_code"] == "rate_limited"
            assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_another_organization_is_counted_alone(send_request: SendRequest) -> None:
    charlies = issue_key(make_organization("Charlie's"), name="theirs").text
    with time_machine.travel(NOW, tick=False):
        assert [send_request().status_code for _ in range(4)] == [200, 200, 200, 429]
        assert send_request(key=charlies).status_code == 200


def test_requests_that_are_refused_for_their_form_create_no_session(send_request: SendRequest) -> None:
    refused = [{}, {**BODY, "endpoint": "x"}, {**BODY, "no_such_field": 1}, b"{", b"[]", {**BODY, "voice": ""}]
    with time_machine.travel(NOW, tick=False):
        answers = [send_request(body) for body in refused]
        assert {answer.status_code for answer in answers} == {400}
        assert send_request(Content_Type="text/plain").status_code == 415
        assert {answer.headers["X-RateLimit-Remaining"] for answer in answers} == {"3"}
        assert [send_request().status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_session_that_openai_refused_was_not_created(
    send_request: SendRequest, openai: OpenAISimulator, settings: Settings
) -> None:
    good = settings.OPENAI_BASE_URL
    with time_machine.travel(NOW, tick=False):
        settings.OPENAI_BASE_URL = openai.fault_url("refuse=401")
        assert [send_request().status_code for _ in range(5)] == [500] * 5
        settings.OPENAI_BASE_URL = good
        assert [send_request().status_code for _ in range(4)] == [200, 200, 200, 429]


def test_requests_that_openai_refuses_count_toward_the_rate_limit(
    send_request: SendRequest, openai: OpenAISimulator, settings: Settings
) -> None:
    settings.LIMIT_FAILED = "2/h"
    settings.OPENAI_BASE_URL = openai.fault_url("refuse=401")
    with time_machine.travel(NOW, tick=False):
        assert [send_request().status_code for _ in range(7)] == [500] * 5 + [429] * 2


def test_the_next_window_is_open_again(send_request: SendRequest) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        assert [send_request().status_code for _ in range(4)] == [200, 200, 200, 429]
        clock.shift(60)
        assert send_request().status_code == 200
