"""One response at a time, never while the caller speaks; failures of a response."""

from __future__ import annotations

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import UsageReported
from telephony.bridge.core.actions import CloseCall, FallBack

from .stage import Stage, briefing

MISSED = briefing().phrases.missed
BUSY = {"type": "invalid_request_error", "code": "conversation_already_has_active_response", "message": "busy"}


def answered_turn(stage: Stage) -> None:
    stage.take_turn()
    stage.begin("r1")


def test_the_servers_own_answer_is_not_requested() -> None:
    stage = Stage()
    stage.take_turn()
    stage.say("r1", "A", 400, 1)
    assert stage.requested == []


def test_an_answer_that_does_not_come_in_4_s_is_requested() -> None:
    stage = Stage()
    stage.take_turn()
    stage.listen(3_900)
    assert stage.requested == []
    stage.listen(200)
    assert stage.requested == [""]


def test_speech_that_was_no_turn_is_not_answered() -> None:
    stage = Stage()
    stage.speak()
    stage.fall_silent()
    stage.listen(4_100)
    assert stage.requested == []


def test_a_server_that_does_not_answer_turns_gets_a_request_at_once() -> None:
    stage = Stage(create_response=False)
    stage.take_turn()
    assert stage.requested == [""]


def test_a_tool_result_waits_for_the_end_of_the_response() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.request_tool("r1", "c1")
    stage.answer_tool("c1")
    assert stage.requested == []
    stage.done("r1")
    assert stage.requested == [""]


def test_a_tool_result_that_comes_while_the_caller_speaks_does_not_make_the_agent_talk_over_him() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.speak("u2")
    stage.answer_tool("c1")
    stage.listen(500)
    [output] = stage.sent("conversation.item.create")
    assert output["item"]["call_id"] == "c1"  # given at once: it is context
    stage.fall_silent("u2")
    stage.commit("u2")
    assert stage.requested == []
    stage.agent("conversation.item.added", item=output["item"])
    stage.say("r2", "A", 400, 1)  # the server's answer to the turn knows of it
    assert stage.requested == []


def test_a_tool_result_the_server_had_not_seen_is_still_spoken_of_after_its_own_answer() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.speak("u2")
    stage.fall_silent("u2")
    stage.commit("u2")
    stage.answer_tool("c1")
    stage.begin("r2")  # it was begun before our output arrived: no conversation.item.added for it yet
    stage.done("r2")
    assert stage.requested == [""]


def test_a_busy_server_gets_the_request_again_after_its_response() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.answer_tool("c1")
    assert stage.requested == [""]
    stage.agent("error", error={**BUSY, "event_id": stage.sent("response.create")[0]["event_id"]})
    assert stage.requested == [""]
    stage.begin("r2")
    stage.done("r2")
    assert stage.requested == ["", ""]
    assert stage.happened.count("provider_error") == 1


def test_a_busy_server_that_then_sends_nothing_gets_the_request_again_in_time() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.agent("error", error=BUSY)
    stage.listen(4_100)
    assert stage.requested == ["Hello!", "Hello!"]


def test_a_refusal_that_comes_after_the_servers_own_response_began_is_known_as_ours() -> None:
    # Our greeting and the server's own response crossed: what began was the server's.
    stage = Stage(briefing(greeting="Hello!"))
    event_id = stage.sent("response.create")[0]["event_id"]
    stage.begin("r1")
    stage.agent("error", error={**BUSY, "event_id": event_id})
    assert stage.requested == ["Hello!"]
    stage.done("r1")
    assert stage.requested == ["Hello!", "Hello!"]


def test_benign_errors_change_nothing() -> None:
    stage = Stage()
    before = list(stage.to_agent)
    for code, message in [
        ("response_cancel_not_active", "Cancellation failed: no active response found"),
        ("input_audio_buffer_commit_empty", "buffer too small"),
        ("item_truncate_invalid_item_id", "no such item"),
        ("invalid_value", "Audio content of 400ms is already shorter than 600ms"),
        ("invalid_value", "Only model output audio messages can be truncated"),
        ("something_else", "who knows"),
        (None, None),
    ]:
        stage.agent("error", error={"type": "invalid_request_error", "code": code, "message": message})
    stage.agent("error")
    assert stage.to_agent == before
    assert stage.links_closed == 0
    assert stage.happened.count("provider_error") == 8


def test_a_failed_response_is_tried_once_more_then_the_agent_requests_a_repetition_then_the_call_falls_back() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.fail("r1")
    assert stage.requested == [""]
    stage.begin("r2")
    stage.fail("r2")
    assert stage.requested == ["", MISSED]
    stage.begin("r3")
    stage.fail("r3")
    assert stage.ending() == CloseCall(EndReason.PROVIDER_FAILED, FallBack())


def test_a_success_forgives_a_failure() -> None:
    stage = Stage()
    for number in range(4):
        stage.take_turn(f"u{number}")
        stage.begin(f"a{number}")
        stage.fail(f"a{number}")
        stage.say(f"b{number}", f"B{number}", 100, 1)
        stage.listen(200)
    assert stage.ending() is None
    assert stage.requested == [""] * 4


def test_a_failed_greeting_is_tried_with_its_words() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.begin("r1")
    stage.fail("r1")
    assert stage.requested == ["Hello!", "Hello!"]


def test_a_response_create_that_is_refused_is_a_failed_response() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    event_id = stage.sent("response.create")[0]["event_id"]
    stage.agent("error", error={"type": "server_error", "code": "rate_limit_exceeded", "event_id": event_id})
    assert stage.requested == ["Hello!", "Hello!"]


def test_a_response_cut_short_before_it_said_anything_has_failed() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.done("r1", "incomplete", status_details={"type": "incomplete", "reason": "content_filter"})
    assert stage.requested == [""]


def test_a_failure_without_details_is_still_a_failure() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.done("r1", "failed")
    assert stage.requested == [""]


def test_an_empty_account_ends_the_call_at_once() -> None:
    stage = Stage()
    answered_turn(stage)
    stage.fail("r1", "insufficient_quota")
    assert stage.ending() == CloseCall(EndReason.PROVIDER_REFUSED, FallBack())


def test_usage_is_recorded_with_the_model_it_was_used_on() -> None:
    stage = Stage()
    tokens = {"total_tokens": 30, "input_tokens": 20, "output_tokens": 10}
    stage.take_turn()
    stage.transcribe("u1", "Hello", usage={"type": "duration", "seconds": 2})
    stage.begin("r1")
    stage.done("r1", "cancelled", usage=tokens)
    assert stage.facts_of(UsageReported) == [
        UsageReported("transcription", "gpt-transcribe", {"type": "duration", "seconds": 2}),
        UsageReported("response", "gpt-realtime-2.1", tokens),
    ]


def test_a_response_that_ends_without_having_begun_is_let_pass() -> None:
    stage = Stage()
    stage.done("never")
    assert stage.ending() is None


def test_audio_of_a_response_whose_beginning_was_missed_is_played() -> None:
    stage = Stage()
    stage.audio("r1", "A", 100, 1)
    stage.audio_done("r1", "A")
    stage.listen(200)
    assert stage.phone.heard[1] == 800
