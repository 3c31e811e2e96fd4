"""Transient errors: a wait that the provider names is respected, the caller hears a tone meanwhile, and retries end
by time."""

from __future__ import annotations

import itertools

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from telephony.bridge.core.actions import CloseCall, FallBack, LinkLoss
from telephony.bridge.openai.errors import error_class, wait_named_ms
from telephony.bridge.openai.frames import ErrorBody

from .stage import Stage, briefing
from .test_never_silent import quiet_ms

PHRASES = briefing().phrases
FAILED = CloseCall(EndReason.PROVIDER_FAILED, FallBack())
REFUSED = CloseCall(EndReason.PROVIDER_REFUSED, FallBack())
LIMIT = "Rate limit reached for gpt-realtime in organization org-1 on tokens per min (TPM): Limit 40000. "


def limit(stage: Stage, response: str, wait: str = "", code: str = "rate_limit_exceeded") -> None:
    message = f"{LIMIT}Please try again in {wait}. Visit the dashboard." if wait else LIMIT
    stage.begin(response)
    error = {"type": "requests", "code": code, "message": message}
    stage.done(response, "failed", status_details={"type": "failed", "error": error})


@pytest.mark.parametrize(
    ("text", "wait_ms"),
    [
        ("Please try again in 6.7s.", 6_700),
        ("Please try again in 300ms. Visit", 300),
        ("Please try again in 1m2.5s.", 62_500),
        ("Please try again in 6m0s.", 360_000),
        ("please retry after 20 seconds", 20_000),
        ("Try again in 1 minute", 60_000),
        ("Try again in 2h", 7_200_000),
        ("Please try again in a while", None),
        ("Please try again in 5 moons", None),
        ("Please try again later", None),
        ("", None),
        (None, None),
    ],
)
def test_a_wait_is_read_from_the_words_that_name_it(text: str | None, wait_ms: int | None) -> None:
    assert wait_named_ms(text) == wait_ms


@pytest.mark.parametrize(
    ("code", "kind", "message", "expected"),
    [
        ("rate_limit_exceeded", "requests", "", "wait"),
        (None, "rate_limit_error", "", "wait"),
        ("server_overloaded", None, "", "wait"),
        ("slow_down", None, "", "wait"),
        ("anything", None, "Try again in 3s", "wait"),
        ("server_error", "server_error", "Sorry", "again"),
        ("never_heard_of", None, "", "again"),
        (None, None, None, "again"),
        ("invalid_value", "invalid_request_error", "", "our bug"),
        (None, "invalid_request_error", "", "our bug"),
        ("insufficient_quota", "insufficient_quota", "Try again in 3s", "give up"),
        ("invalid_request_error.model_not_found", None, "", "give up"),
        ("billing_hard_limit_reached", None, "", "give up"),
    ],
)
def test_errors_are_classed_by_kind(code: str | None, kind: str | None, message: str | None, expected: str) -> None:
    assert error_class(ErrorBody(type=kind, code=code, message=message)) == expected


@pytest.mark.parametrize(("wait", "wait_ms"), [("400ms", 400), ("6s", 6_000), ("20s", 20_000), ("0.5s", 500)])
def test_a_wait_that_is_named_is_kept_to_and_the_answer_comes_after_it(wait: str, wait_ms: int) -> None:
    stage = Stage()
    stage.take_turn()
    limit(stage, "r1", wait)
    stage.listen((wait_ms - 100) // 100 * 100)
    assert stage.requested == []
    stage.listen(200)
    assert stage.requested == [""]
    stage.say("r2", "A", 400, 1)
    stage.listen(1_000)
    assert stage.phone.heard[1] == 3_200
    assert stage.ending() is None


def test_the_caller_hears_the_line_while_it_waits() -> None:
    stage = Stage()
    stage.take_turn()
    limit(stage, "r1", "12s")
    assert quiet_ms(stage, 11_000) < 5_000
    assert stage.happened.count("tone_played") > 2
    assert stage.ending() is None


def test_several_waits_in_a_row_are_kept_to_as_long_as_they_fit_into_the_time() -> None:
    stage = Stage()
    stage.take_turn()
    for number in range(6):
        limit(stage, f"r{number}", "4s")
        stage.listen(4_100)
        assert stage.requested == [""] * (number + 1)
    assert stage.ending() is None
    limit(stage, "r6", "6s")
    assert stage.ending() == FAILED


def test_a_wait_that_is_too_long_for_a_caller_falls_back_at_once() -> None:
    stage = Stage()
    stage.take_turn()
    limit(stage, "r1", "6m0s")
    assert stage.ending() == FAILED
    [failure] = [fact for fact in stage.facts_of(SomethingHappened) if fact.kind == "response_failed"]
    assert (failure.detail["code"], failure.detail["wait_ms"]) == ("rate_limit_exceeded", 360_000)


def test_a_limit_that_names_no_wait_is_met_with_growing_pauses_and_given_up_by_time() -> None:
    stage = Stage()
    stage.take_turn()
    requested_ms = []
    for number in range(12):
        limit(stage, f"r{number}")
        before = len(stage.requested)
        if number == 0:
            assert before == 1  # once at once
        while len(stage.requested) == before and number and not stage.is_over():
            stage.listen(100)
        requested_ms.append(stage.ms)
        if stage.is_over():
            break
    assert stage.ending() == FAILED
    pauses = [after - before for before, after in itertools.pairwise(requested_ms)]
    assert pauses[:3] == [1_100, 2_100, 4_100]
    assert 10_000 < stage.ms <= 31_000


def test_an_answer_that_is_heard_ends_the_row() -> None:
    stage = Stage()
    for turn in range(4):
        stage.take_turn(f"u{turn}")
        limit(stage, f"a{turn}", "14s")
        stage.listen(14_100)
        stage.say(f"b{turn}", f"B{turn}", 400, 1)
        stage.listen(1_000)
    assert stage.ending() is None


def test_a_turn_taken_while_it_waits_is_answered_once() -> None:
    stage = Stage()
    stage.take_turn("u1")
    limit(stage, "r1", "5s")
    stage.listen(1_000)
    stage.take_turn("u2")
    stage.say("r2", "A", 400, 1)
    stage.listen(6_000)
    assert stage.requested == []


def test_a_greeting_waits_with_its_words() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    limit(stage, "r1", "2s")
    stage.listen(1_900)
    assert stage.requested == ["Hello!"]
    stage.listen(200)
    assert stage.requested == ["Hello!", "Hello!"]


def test_a_refused_request_waits_too() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    event_id = stage.sent("response.create")[0]["event_id"]
    error = {"type": "requests", "code": "rate_limit_exceeded", "message": "Please try again in 3s."}
    stage.agent("error", error={**error, "event_id": event_id})
    stage.listen(2_900)
    assert stage.requested == ["Hello!"]
    stage.listen(200)
    assert stage.requested == ["Hello!", "Hello!"]


def test_a_limit_on_the_answer_that_the_server_owes_is_kept_to() -> None:
    stage = Stage()
    stage.take_turn()
    stage.agent("error", error={"code": "rate_limit_exceeded", "message": "Please try again in 7s."})
    stage.listen(6_900)
    assert stage.requested == []
    stage.listen(200)
    assert stage.requested == [""]


def test_a_request_that_the_provider_does_not_understand_is_not_repeated_as_it_is() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    for number in range(2):
        event_id = stage.sent("response.create")[number]["event_id"]
        error = {"type": "invalid_request_error", "code": "invalid_value", "event_id": event_id}
        stage.agent("error", error=error)
    assert len(stage.requested) == 2
    assert stage.requested[1] != "Hello!"
    assert stage.ending() == FAILED


def opened_ms(stage: Stage, ms: int) -> list[int]:
    """When links were opened while time passes."""
    times, count = [], stage.links_opened
    for _ in range(ms // 100):
        stage.listen(100)
        if stage.links_opened > count:
            count = stage.links_opened
            times.append(stage.ms)
    return times


def test_a_handshake_that_names_a_wait_is_not_repeated_before_and_costs_no_try() -> None:
    stage = Stage(opened=False)
    for number in range(3):
        stage.call.link_lost(LinkLoss(429, "HTTP 429", wait_ms=2_000))
        assert opened_ms(stage, 2_100) == [2_100 * (number + 1)]
    assert stage.ending() is None
    stage.open()
    assert "agent_ready" in stage.happened


def test_a_handshake_put_off_for_longer_than_a_caller_waits_falls_back_at_once() -> None:
    stage = Stage(opened=False)
    stage.lose_link(503, "HTTP 503")
    assert stage.ending() is None
    stage = Stage(opened=False)
    stage.call.link_lost(LinkLoss(503, "HTTP 503", wait_ms=60_000))
    stage.flush()
    assert stage.ending() == FAILED


def test_handshakes_that_are_put_off_again_and_again_are_given_up_by_time() -> None:
    stage = Stage(opened=False)
    while not stage.is_over():
        stage.call.link_lost(LinkLoss(429, "HTTP 429", wait_ms=1_000))
        stage.listen(1_100)
        stage.flush()
    assert stage.ending() == FAILED
    assert 8_000 < stage.ms <= 12_000


def test_a_session_closed_with_a_wait_in_its_reason_is_opened_after_it() -> None:
    stage = Stage()
    stage.take_turn()
    stage.lose_link(1013, "Please try again in 3s")
    assert opened_ms(stage, 3_500) == [4_100]
    assert stage.ending() is None
