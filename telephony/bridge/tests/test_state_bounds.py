"""Every state has a time limit: a missing event of the provider cannot block the call. The timeline records it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from sessions.calls.end_reasons import EndReason
from telephony.bridge.core.actions import CloseCall, FallBack
from telephony.bridge.core.alarms import Alarm
from telephony.bridge.core.retries import GIVE_UP_AFTER_MS
from telephony.bridge.core.silence import STALL_AFTER_MS
from telephony.bridge.core.state_bounds import ANSWER_AFTER_MS, RECEIPT_MS, SPEECH_MS, THINKING_MS, TURN_MS

from .stage import CallLimits, Stage, briefing
from .test_never_silent import quiet_ms

PHRASES = briefing().phrases
FAILED = CloseCall(EndReason.PROVIDER_FAILED, FallBack())


def wait(stage: Stage, ms: int) -> None:
    """Time in which the provider lives, but says nothing that matters."""
    for _ in range(ms // 1_000):
        stage.listen(1_000)
        stage.agent("rate_limits.updated", rate_limits=[])


# Speaking


def test_speech_whose_end_never_comes_is_made_a_turn_and_answered() -> None:
    stage = Stage()
    stage.speak()
    wait(stage, 44_000)
    assert stage.sent("input_audio_buffer.commit") == []
    wait(stage, 2_000)
    assert len(stage.sent("input_audio_buffer.commit")) == 1
    assert "speech_end_missing" in stage.happened
    wait(stage, 5_000)
    assert stage.requested == [""]


@pytest.mark.parametrize("answers", [True, False])
def test_a_turn_made_of_endless_speech_is_answered_once(answers: bool) -> None:
    stage = Stage(create_response=answers)
    stage.speak()
    wait(stage, 46_000)
    stage.commit()
    wait(stage, 5_000)
    assert stage.requested == [""]
    stage.say("r1", "A", 400, 1)
    wait(stage, 3_000)
    assert stage.requested == [""]


def test_endless_speech_over_a_protected_greeting_is_answered_after_it() -> None:
    stage = Stage(briefing(greeting="Hello!", protects_greeting=True))
    stage.begin("r1")
    stage.audio("r1", "G", 1_000, 1)
    stage.speak()
    stage.audio_done("r1", "G")
    stage.done("r1")
    wait(stage, 46_000)
    wait(stage, 6_000)
    assert stage.requested == ["Hello!", ""]


def test_a_caller_who_is_said_to_speak_and_is_silent_hears_that_the_line_lives() -> None:
    stage = Stage()
    stage.take_turn("u1")
    stage.say("r1", "A", 400, 1)
    stage.listen(600)
    stage.speak("u2")
    assert quiet_ms(stage, 60_000, provider_lives=True) < 6_000


def test_no_tone_is_played_over_a_caller_who_is_heard() -> None:
    stage = Stage()
    stage.speak()
    for _ in range(1_000):  # 20 s
        stage.frame(stage.ms, b"\x10" * 160)
        stage.listen(20, frames=False)
    assert stage.phone.frames == []


def test_the_agent_requests_a_repetition_of_speech_that_became_no_turn_within_5_s() -> None:
    stage = Stage()
    stage.take_turn("u1")
    stage.say("r1", "A", 4_000, 1)
    stage.listen(1_000)
    stage.speak("u2")
    stage.listen(500)
    stage.fall_silent("u2")
    stage.listen(4_700)
    assert "turn_missing" in stage.happened
    assert stage.requested == [PHRASES.missed]


def test_a_turn_whose_speech_had_no_end_is_a_turn() -> None:
    stage = Stage()
    stage.speak()
    stage.listen(1_000)
    stage.commit()
    stage.say("r1", "A", 400, 1)
    wait(stage, 5_000)
    assert "turn_missing" not in stage.happened
    assert "speech_end_missing" not in stage.happened


# Thinking


def test_an_overdue_answer_of_the_server_is_recorded_when_it_is_requested() -> None:
    stage = Stage()
    stage.take_turn()
    stage.listen(4_100)
    assert "answer_overdue" in stage.happened
    assert stage.requested == [""]


def test_an_answer_owed_beside_one_of_ours_is_not_waited_for_without_end() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.speak()
    stage.fall_silent()
    stage.commit()
    stage.begin("r1")  # the greeting, requested before he spoke
    stage.audio("r1", "G", 400, 1)
    stage.audio_done("r1", "G")
    stage.done("r1")
    wait(stage, 6_000)
    stage.listen(8_100)
    assert PHRASES.reprompt in stage.requested  # the line is idle, not busy for ever


def test_tools_that_lead_to_nothing_but_tools_are_given_up_in_time() -> None:
    stage = Stage()
    stage.take_turn()
    for number in range(60):
        if stage.is_over():
            break
        stage.begin(f"r{number}")
        stage.request_tool(f"r{number}", f"c{number}", "look_up_items")
        stage.done(f"r{number}")
        stage.listen(500)
        stage.answer_tool(f"c{number}")
        stage.listen(500)
    assert stage.ending() == FAILED
    assert "answer_given_up" in stage.happened


# A response


def test_a_response_that_never_begins_is_requested_again_then_in_other_words_then_the_call_falls_back() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    wait(stage, 9_000)
    assert stage.requested == ["Hello!", "Hello!"]
    wait(stage, 9_000)
    assert len(stage.requested) == 3
    wait(stage, 9_000)
    assert stage.ending() == FAILED
    assert stage.happened.count("response_stuck") == 3


def test_a_tool_output_that_no_response_follows_gets_another_request() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.answer_tool("c1")
    assert stage.requested == [""]
    wait(stage, 10_000)
    assert stage.requested == ["", ""]


def test_a_response_that_stops_in_the_middle_is_canceled_and_requested_again() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.audio("r1", "A", 700, 1)
    wait(stage, 10_000)
    assert stage.sent("response.cancel") == [{"type": "response.cancel", "response_id": "r1"}]
    assert stage.requested == [""]
    stage.done("r1")  # too late
    assert stage.requested == [""]


def test_a_response_without_an_end_whose_audio_was_heard_is_over() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.audio("r1", "A", 700, 1)
    stage.audio_done("r1", "A")
    stage.listen(4_000)
    assert "response_stuck" in stage.happened
    assert stage.requested == []
    stage.listen(8_100)
    assert stage.requested == [PHRASES.reprompt]


def test_tools_of_a_response_without_an_end_are_answered() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.answer_tool("c1")
    assert stage.requested == []
    wait(stage, 10_000)
    assert stage.requested == [""]


def test_a_response_that_goes_on_slowly_is_not_cut() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    for _ in range(6):
        stage.audio("r1", "A", 400, 1)
        stage.listen(5_000)
    assert stage.sent("response.cancel") == []


def test_a_response_that_writes_the_arguments_of_a_tool_goes_on() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    for _ in range(20):
        stage.agent("response.function_call_arguments.delta", response_id="r1", delta="x")
        stage.listen(1_000)
    assert stage.sent("response.cancel") == []


def test_a_greeting_whose_beginning_was_missed_is_the_one_that_was_requested() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.audio("r1", "G", 400, 1)
    stage.audio_done("r1", "G")
    stage.done("r1")
    wait(stage, 12_000)
    assert "response_stuck" not in stage.happened
    assert stage.requested == ["Hello!", PHRASES.reprompt]


def test_a_failed_greeting_whose_beginning_was_missed_is_said_again() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.fail("r1")
    assert stage.requested == ["Hello!", "Hello!"]


def test_a_busy_server_that_sends_nothing_of_a_protected_greeting_gets_the_request_again() -> None:
    stage = Stage(briefing(greeting="Hello!", protects_greeting=True))
    code = "conversation_already_has_active_response"
    stage.agent("error", error={"type": "invalid_request_error", "code": code, "message": "busy"})
    wait(stage, 5_000)
    assert stage.requested == ["Hello!", "Hello!"]


# A tool batch


def test_a_tool_that_hangs_is_given_up_and_answered() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    wait(stage, 1_000)
    wait(stage, 10_000)
    assert "tool_timed_out" in stage.happened
    assert stage.sent("conversation.item.create")[-1]["item"]["type"] == "function_call_output"


# Confirmations


def interrupted() -> Stage:
    stage = Stage()
    stage.take_turn("u1")
    stage.say("r1", "A", 4_000, 1)
    stage.listen(1_000)
    stage.take_turn("u2", for_ms=500)
    assert stage.truncations
    return stage


def test_a_truncation_without_a_receipt_is_noticed_and_holds_nothing_up() -> None:
    stage = interrupted()
    stage.say("r2", "B", 400, 2)
    stage.listen(4_000)
    assert stage.happened.count("truncation_unconfirmed") == 1
    assert stage.phone.heard[2] == 3_200


@pytest.mark.parametrize("receipt", ["truncated", "refused"])
def test_a_truncation_with_a_receipt_is_no_fault(receipt: str) -> None:
    stage = interrupted()
    if receipt == "truncated":
        stage.agent("conversation.item.truncated", item_id="A", content_index=0, audio_end_ms=1_000)
    else:
        stage.agent("error", error={"code": "item_truncate_invalid_item_id", "message": "no such item"})
    stage.say("r2", "B", 400, 2)
    stage.listen(4_000)
    assert "truncation_unconfirmed" not in stage.happened


def greeting_released() -> Stage:
    stage = Stage(briefing(greeting="Hello!", protects_greeting=True))
    stage.say("r1", "G", 400, 1)
    stage.listen(600)
    assert len(stage.sent("session.update")) == 2
    return stage


def test_a_session_whose_update_is_never_confirmed_is_updated_again_and_then_not_relied_on() -> None:
    stage = greeting_released()
    stage.listen(3_200)
    assert len(stage.sent("session.update")) == 3
    stage.listen(3_200)
    assert stage.happened.count("session_update_unconfirmed") == 2
    assert len(stage.sent("session.update")) == 3
    stage.take_turn()
    assert stage.requested == ["Hello!", ""]  # at once: this server answers nothing by itself


def test_an_update_that_is_confirmed_at_last_is_relied_on_again() -> None:
    stage = greeting_released()
    stage.listen(3_200)
    stage.agent("session.updated", session={"type": "realtime"})
    stage.listen(3_200)
    assert stage.happened.count("session_update_unconfirmed") == 1
    stage.take_turn()
    assert stage.requested == ["Hello!"]


def test_a_session_that_is_never_configured_falls_back() -> None:
    stage = Stage(opened=False)
    stage.call.link_opened()
    stage.agent("session.created", session={"type": "realtime"})
    for _ in range(20):
        stage.listen(1_000)
        if stage.is_over():
            break
    assert stage.ending() == FAILED
    assert stage.ms <= 7_000


# A wait


def test_a_wait_under_which_the_link_is_lost_is_over_with_the_next_session() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.begin("r1")
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 5s."}
    stage.done("r1", "failed", status_details={"type": "failed", "error": error})
    stage.lose_link()
    stage.open()
    assert stage.requested == ["Hello!", "Hello!"]
    stage.say("r1", "G", 400, 1)
    wait(stage, 7_000)
    assert stage.requested == ["Hello!", "Hello!"]


# All of them


def test_every_alarm_stands_in_the_table_of_states_with_its_bound() -> None:
    table = (Path(settings.BASE_DIR) / "docs" / "reference" / "call-states.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]
    alarms = {name for row in rows[2:] for name in re.findall(r"`(\w+)`", row[-1])}
    assert alarms | {"tone"} == set(Alarm)
    bounds = {row[-1].strip("`"): row[2] for row in rows if row[-1] not in ("`response`", "–")}
    for alarm, bound_ms in {
        Alarm.SPEECH: SPEECH_MS,
        Alarm.TURN: TURN_MS,
        Alarm.ANSWER: ANSWER_AFTER_MS,
        Alarm.THINKING: THINKING_MS,
        Alarm.TRUNCATION: RECEIPT_MS,
        Alarm.UPDATE: RECEIPT_MS,
        Alarm.RETRY: GIVE_UP_AFTER_MS,
        Alarm.STALL: STALL_AFTER_MS,
        Alarm.TOOL: CallLimits().tool_ends_within_ms,
    }.items():
        assert bounds[alarm].startswith(f"{bound_ms / 1000:g} s")


def no_end_of_response() -> Stage:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.audio("r1", "A", 700, 1)
    return stage


def no_beginning_of_response() -> Stage:
    return Stage(briefing(greeting="Hello!"))


def no_turn() -> Stage:
    stage = Stage()
    stage.speak()
    stage.fall_silent()
    return stage


def no_answer_to_a_tool() -> Stage:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.answer_tool("c1")
    return stage


@pytest.mark.parametrize("state", [no_end_of_response, no_beginning_of_response, no_turn, no_answer_to_a_tool])
def test_a_provider_that_lives_and_never_ends_a_state_leaves_no_silence_of_5_s(state: Callable[[], Stage]) -> None:
    stage = state()
    assert quiet_ms(stage, 60_000, provider_lives=True) < 5_000
    assert stage.phone.heard
