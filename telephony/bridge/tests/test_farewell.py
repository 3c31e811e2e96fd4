"""A call ends, or goes to a person, only when the farewell was heard, and not if the caller speaks into it."""

from __future__ import annotations

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import EndCall, Transfer
from sessions.calls.spending import SpendingLimit
from telephony.bridge.core.actions import CloseCall, FallBack, HandOver, HangUp

from .stage import CallLimits, Stage, briefing

HUNG_UP = CloseCall(EndReason.AGENT_HUNG_UP, HangUp())


def farewell_with_call(stage: Stage, ms: int = 1_000) -> None:
    """The model says goodbye and calls end_call in one response."""
    stage.begin("r1")
    stage.audio("r1", "bye", ms, 1)
    stage.audio_done("r1", "bye")
    stage.request_tool("r1", "c1", "end_call")
    stage.done("r1")
    stage.answer_tool("c1", then=EndCall())


def test_hanging_up_waits_until_the_farewell_was_heard() -> None:
    stage = Stage()
    farewell_with_call(stage)
    assert stage.requested == []  # it has been said already
    stage.listen(980)
    assert stage.ending() is None
    stage.listen(40)
    assert stage.ending() == HUNG_UP
    assert stage.phone.heard[1] == 8_000


def test_a_farewell_not_yet_spoken_is_requested_and_waited_for() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1", "end_call")
    stage.done("r1")
    stage.answer_tool("c1", then=EndCall())
    assert stage.requested == [""]
    stage.listen(1_000)
    assert stage.ending() is None
    stage.say("r2", "bye", 600, 1)
    stage.listen(620)
    assert stage.ending() == HUNG_UP


def test_other_tools_of_the_same_response_are_spoken_of_first() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 200, 1)
    stage.audio_done("r1", "A")
    stage.request_tool("r1", "c1", "submit_order")
    stage.request_tool("r1", "c2", "end_call")
    stage.done("r1")
    stage.answer_tool("c1")
    stage.listen(500)
    assert stage.requested == []
    stage.answer_tool("c2", then=EndCall())
    assert stage.requested == [""]
    stage.listen(500)
    assert stage.ending() is None
    stage.say("r2", "B", 400, 2)
    stage.listen(500)
    assert stage.ending() == HUNG_UP


def test_a_transfer_goes_to_the_configured_target() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.audio_done("r1", "A")
    stage.request_tool("r1", "c1", "transfer_call")
    stage.done("r1")
    stage.answer_tool("c1", then=Transfer("front-desk"))
    stage.listen(500)
    assert stage.ending() == CloseCall(EndReason.TRANSFERRED, HandOver("front-desk"))


@pytest.mark.parametrize("then", [EndCall(), Transfer("front-desk")])
def test_a_caller_who_speaks_into_the_farewell_stays(then: EndCall | Transfer) -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "bye", 1_000, 1)
    stage.audio_done("r1", "bye")
    stage.request_tool("r1", "c1", "end_call")
    stage.done("r1")
    stage.answer_tool("c1", then=then)
    stage.listen(300)
    stage.take_turn("u1")
    stage.say("r2", "A", 400, 2)
    stage.listen(5_000)
    assert stage.ending() is None
    assert "farewell_interrupted" in stage.happened
    assert stage.truncations == [("bye", 300)]


def test_a_caller_who_spoke_while_the_tool_ran_stays() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "bye", 400, 1)
    stage.request_tool("r1", "c1", "end_call")
    stage.speak("u1")
    stage.done("r1", "cancelled")
    stage.fall_silent("u1")
    stage.answer_tool("c1", then=EndCall())
    stage.listen(2_000)
    assert stage.ending() is None


def test_a_key_pressed_into_the_farewell_keeps_the_line_too() -> None:
    stage = Stage()
    farewell_with_call(stage)
    stage.press("0")
    stage.listen(2_000)
    assert stage.ending() is None


def test_lost_echoes_hold_the_end_back_no_longer_than_a_second() -> None:
    # The tick counts what the clock says was heard a second ago: 1,000 ms of farewell, and 1,000 more.
    stage = Stage()
    stage.phone.loses_echoes = True
    farewell_with_call(stage)
    stage.listen(1_900)
    assert stage.ending() is None
    stage.listen(200)
    assert stage.ending() == HUNG_UP


def test_a_phone_that_stops_playing_holds_the_end_back_two_seconds_over_the_estimate() -> None:
    # 1,000 ms are not yet played when the farewell is complete. Echoes come, but the phone plays at half speed.
    stage = Stage()
    farewell_with_call(stage, ms=2_000)
    for _ in range(25):
        stage.phone.play(0)
        stage.listen(40)
        stage.phone.queue.extendleft([1] * 240)  # 30 of the 40 ms come back to be played again
    stage.listen(2_900)
    assert stage.ending() is None or stage.ending() == HUNG_UP
    stage.listen(200)
    assert stage.ending() == HUNG_UP
    assert stage.ms == 4_100


def test_a_farewell_that_is_never_spoken_is_not_waited_for_longer_than_15_s() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1", "end_call")
    stage.done("r1")
    stage.answer_tool("c1", then=EndCall())
    for number in range(20):
        stage.agent("rate_limits.updated")  # alive, but never speaking
        stage.listen(700 if number < 19 else 1_600)
    assert stage.ending() is None
    stage.listen(200)
    assert stage.ending() == HUNG_UP


def test_losing_the_link_in_the_farewell_ends_the_call_as_intended() -> None:
    stage = Stage()
    farewell_with_call(stage)
    stage.lose_link()
    stage.listen(1_100)
    assert stage.ending() == HUNG_UP


def test_a_refused_link_in_the_farewell_ends_the_call_as_intended() -> None:
    stage = Stage()
    farewell_with_call(stage)
    stage.lose_link(is_fatal=True)
    assert stage.ending() == HUNG_UP


def test_the_longest_call_ends_with_a_goodbye() -> None:
    brief = briefing(limits=CallLimits(longest_call_ms=5_000))
    stage = Stage(brief)
    stage.listen(4_900)
    assert stage.requested == []
    stage.listen(100)
    assert stage.requested == [brief.phrases.time_goodbye]
    stage.begin("r1")
    stage.audio("r1", "bye", 600, 1)
    stage.speak("u1")  # it is not up to him any more
    stage.done("r1", "cancelled")
    assert stage.ending() == CloseCall(EndReason.TOO_LONG, HangUp())


def test_a_call_ends_with_a_goodbye_before_it_costs_more_than_was_reserved() -> None:
    rates = {"gpt-realtime-2.1": {"audio_in": 0.0, "text_in": 0.0, "audio_out": 0.0001}}
    brief = briefing(limits=CallLimits(spending=SpendingLimit(most_usd=1, model="gpt-realtime-2.1", rates=rates)))
    stage = Stage(brief)
    stage.listen(1_000)

    def answer(response: str, tokens: int) -> None:
        stage.begin(response)
        stage.audio(response, f"{response}-item", 100, 1)
        stage.audio_done(response, f"{response}-item")
        stage.done(response, usage={"output_token_details": {"audio_tokens": tokens}})

    # One more response and the farewell may cost 0.20 each.
    answer("r1", tokens=5000)
    assert stage.requested == []
    answer("r2", tokens=1500)
    assert stage.requested == [brief.phrases.time_goodbye]
    answer("r3", tokens=10)
    stage.listen(1_000)
    assert stage.requested == [brief.phrases.time_goodbye]
    assert stage.ending() == CloseCall(EndReason.BUDGET_USED, HangUp())


def test_the_longest_call_ends_even_if_the_caller_never_stops() -> None:
    stage = Stage(briefing(limits=CallLimits(longest_call_ms=5_000)))
    stage.speak("u1")
    stage.listen(19_900)
    assert stage.ending() is None
    stage.listen(100)
    assert stage.ending() == CloseCall(EndReason.TOO_LONG, HangUp())


@pytest.mark.parametrize(
    ("reason", "follow_up"),
    [
        (EndReason.HUNG_UP_BY_OPERATOR, HangUp()),
        (EndReason.SERVER_STOPPING, FallBack()),
    ],
)
def test_the_call_can_be_ended_from_outside(reason: EndReason, follow_up: HangUp | FallBack) -> None:
    stage = Stage()
    stage.call.hang_up(reason)
    stage.flush()
    assert stage.ending() == CloseCall(reason, follow_up)


def test_the_caller_hanging_up_ends_the_call() -> None:
    stage = Stage()
    stage.call.caller_frame('{"event":"stop","stop":{"callSid":"CA1"}}')
    stage.flush()
    assert stage.is_over()
    assert stage.ending() == CloseCall(EndReason.CALLER_HUNG_UP, HangUp())


def test_a_socket_that_is_gone_without_stop_is_a_lost_stream() -> None:
    stage = Stage()
    stage.call.caller_gone("closed with 1006")
    stage.flush()
    assert stage.ending() == CloseCall(EndReason.STREAM_LOST, HangUp())


def test_after_the_end_nothing_happens_any_more() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.call.caller_frame('{"event":"stop"}')
    stage.flush()
    actions, agent, phone = list(stage.actions), list(stage.to_agent), list(stage.phone.frames)
    stage.call.caller_frame('{"event":"stop"}')
    stage.call.caller_gone("again")
    stage.call.hang_up(EndReason.HUNG_UP_BY_OPERATOR)
    stage.audio("r1", "A", 400, 1)
    stage.answer_tool("c1")
    stage.lose_link()
    stage.call.link_opened()
    stage.call.time_passed(10**7)
    stage.frame(0)
    stage.flush()
    assert (stage.actions, stage.to_agent, stage.phone.frames) == (actions, agent, phone)
