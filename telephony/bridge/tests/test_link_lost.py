"""The provider drops: one reconnect in 4 s in all, the conversation replayed, or a fallback."""

from __future__ import annotations

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from sessions.calls.outcomes import EndCall
from telephony.bridge.core.actions import CloseCall, FallBack, HangUp, OpenLink

from .stage import CallLimits, Stage, briefing

MISSED = briefing().phrases.missed
FAILED = CloseCall(EndReason.PROVIDER_FAILED, FallBack())
REFUSED = CloseCall(EndReason.PROVIDER_REFUSED, FallBack())


def replayed(stage: Stage) -> list[tuple[str, str]]:
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    return [(item["role"], item["content"][0]["text"]) for item in items if item["type"] == "message"]


def talked() -> Stage:
    """The agent has greeted and answered, the line is idle, and the frames sent so far are cleared."""
    stage = Stage(briefing(greeting="Hello!"))
    stage.say("r1", "G", 500, 1, "Hello!")
    stage.listen(600)
    stage.take_turn("u1", "One pizza please.")
    stage.say("r2", "A", 500, 2, "With pleasure.")
    stage.listen(600)
    stage.to_agent.clear()
    return stage


def test_the_first_action_is_to_open_a_link() -> None:
    assert Stage(opened=False).actions[0] == OpenLink()


def test_the_timeline_says_which_link_was_connected_before_the_call() -> None:
    stage = Stage(opened=False)
    for was_idle in (True, False):
        stage.call.link_opened(was_idle)
        stage.agent("session.created", session={"type": "realtime"})
        stage.agent("session.updated", session={"type": "realtime"})
        stage.lose_link()
    events = {event.kind: event.detail for event in stage.facts_of(SomethingHappened)}
    assert events["agent_ready"] == {"was_idle": 1}
    assert events["agent_resumed"] == {}


def test_a_lost_link_is_opened_again_at_once() -> None:
    stage = talked()
    stage.lose_link(1011, "server error")
    assert stage.links_opened == 2
    assert stage.ending() is None


def test_the_conversation_is_replayed_in_order_without_a_second_greeting() -> None:
    stage = talked()
    stage.lose_link()
    stage.open()
    kinds = [frame["type"] for frame in stage.to_agent]
    assert kinds == ["session.update", *["conversation.item.create"] * 3]
    assert replayed(stage) == [("assistant", "Hello!"), ("user", "One pizza please."), ("assistant", "With pleasure.")]
    assert stage.requested == []
    assert "agent_resumed" in stage.happened


def test_assistants_words_are_replayed_as_output_and_the_callers_as_input() -> None:
    stage = talked()
    stage.lose_link()
    stage.open()
    types = [frame["item"]["content"][0]["type"] for frame in stage.sent("conversation.item.create")]
    assert types == ["output_text", "input_text", "output_text"]


def test_only_what_was_heard_is_replayed() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.text("A", "We have pizza and pasta and salad today")
    stage.audio("r1", "A", 2_000, 1)
    stage.listen(1_000)
    stage.speak("u1")
    stage.lose_link()
    stage.open()
    assert replayed(stage) == [("assistant", "We have pizza and")]  # half of 39 characters, back to the last whole word


def test_a_turn_that_was_waiting_is_answered_by_the_new_session() -> None:
    stage = talked()
    stage.take_turn("u2", "And a beer.")
    stage.lose_link()
    stage.open()
    assert replayed(stage)[-1] == ("user", "And a beer.")
    assert stage.requested == [""]


def test_a_turn_whose_answer_had_begun_is_answered_again() -> None:
    stage = talked()
    stage.take_turn("u2", "And a beer.")
    stage.begin("r3")
    stage.lose_link()
    stage.open()
    assert stage.requested == [""]


def test_the_agent_requests_a_repetition_of_a_turn_without_a_transcript() -> None:
    stage = talked()
    stage.take_turn("u2")  # its transcription never came
    stage.lose_link()
    stage.open()
    assert stage.requested == [MISSED]


def test_the_agent_requests_a_repetition_of_what_was_said_between_two_sessions() -> None:
    stage = talked()
    stage.speak("u2")
    stage.lose_link()
    stage.open()
    assert stage.requested == [MISSED]


def test_a_greeting_that_was_never_spoken_is_spoken_by_the_new_session() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.lose_link()
    stage.open()
    assert stage.requested == ["Hello!", "Hello!"]


def test_the_answer_is_requested_after_the_replay_and_before_the_callers_audio() -> None:
    stage = talked()
    stage.take_turn("u2", "And a beer.")
    stage.lose_link()
    stage.listen(500)
    stage.call.link_opened()
    stage.call.agent_frame('{"type":"session.created"}')
    stage.call.to_agent.clear()
    stage.call.agent_frame('{"type":"session.updated"}')
    order = [text.split('"')[3] for text in stage.call.to_agent]
    assert order[:5] == [*["conversation.item.create"] * 4, "response.create"]
    assert set(order[5:]) == {"input_audio_buffer.append"}


def test_tools_and_their_outputs_are_part_of_what_is_replayed() -> None:
    stage = talked()
    stage.take_turn("u2", "And a beer.")
    stage.begin("r3")
    stage.request_tool("r3", "c1", arguments='{"changes": []}')
    stage.answer_tool("c1", '{"ok": true}')
    stage.done("r3")
    stage.say("r4", "B", 100, 3, "Done.")
    stage.listen(200)
    stage.to_agent.clear()
    stage.lose_link()
    stage.open()
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    assert [item["type"] for item in items[4:]] == ["function_call", "function_call_output", "message"]
    assert (items[4]["call_id"], items[4]["name"], items[4]["arguments"]) == ("c1", "change_order", '{"changes": []}')
    assert (items[5]["call_id"], items[5]["output"]) == ("c1", '{"ok": true}')
    assert stage.requested == []


def test_a_tool_that_finishes_while_the_link_is_down_is_spoken_of_afterwards() -> None:
    stage = talked()
    stage.begin("r3")
    stage.request_tool("r3", "c1")
    stage.done("r3")
    stage.lose_link()
    stage.answer_tool("c1", '{"n": 1}')
    stage.open()
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    assert [item["type"] for item in items[3:]] == ["function_call", "function_call_output"]
    assert stage.requested == [""]


def test_a_tool_that_finishes_in_the_new_session_is_answered_there_once() -> None:
    stage = talked()
    stage.begin("r3")
    stage.request_tool("r3", "c1")
    stage.done("r3")
    stage.lose_link()
    stage.open()
    assert [frame["item"]["type"] for frame in stage.sent("conversation.item.create")][3:] == ["function_call"]
    assert stage.requested == []
    stage.answer_tool("c1", '{"n": 1}')
    outputs = [item["item"] for item in stage.sent("conversation.item.create") if "output" in item["item"]]
    assert [item["call_id"] for item in outputs] == ["c1"]
    assert stage.requested == [""]


def test_a_farewell_decided_while_the_link_is_down_ends_the_call() -> None:
    stage = talked()
    stage.begin("r3")
    stage.request_tool("r3", "c1", "end_call")
    stage.done("r3")
    stage.lose_link()
    stage.answer_tool("c1", then=EndCall())
    stage.listen(200)
    assert stage.ending() == CloseCall(EndReason.AGENT_HUNG_UP, HangUp())


def test_what_was_received_is_played_on_and_cannot_be_truncated_in_a_session_that_does_not_know_it() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.text("A", "One two three four")
    stage.audio("r1", "A", 1_990, 1)  # not whole frames: a remainder is carried
    stage.lose_link()
    stage.listen(500)
    stage.open()
    stage.listen(500)
    stage.speak("u1")
    assert stage.phone.heard[1] == 1_000 * 8
    assert stage.truncations == []
    assert stage.lines[0].text == "One two"  # 18 characters x 1,000/1,990 = 9, back to the last whole word


def test_no_link_in_four_seconds_ends_in_the_fallback() -> None:
    stage = talked()
    stage.lose_link()
    stage.listen(1_900)
    assert stage.links_opened == 2
    stage.listen(200)  # the first try is given up after half of the time
    assert (stage.links_closed, stage.links_opened) == (1, 3)
    stage.listen(1_700)
    assert stage.ending() is None
    stage.listen(200)
    assert stage.ending() == FAILED
    assert stage.links_closed == 2


def test_a_try_that_is_refused_is_repeated_once_after_a_breath() -> None:
    stage = talked()
    stage.lose_link()
    stage.lose_link(503, "HTTP 503")
    assert stage.links_opened == 2
    stage.listen(400)
    assert stage.links_opened == 3
    stage.lose_link(503, "HTTP 503")
    assert stage.ending() == FAILED


def test_a_refused_key_is_not_tried_again() -> None:
    stage = Stage(opened=False)
    stage.lose_link(401, "HTTP 401", is_fatal=True)
    assert stage.links_opened == 1
    assert stage.ending() == REFUSED


def test_a_dialect_that_is_gone_is_not_tried_again() -> None:
    stage = Stage(opened=False)
    stage.lose_link(4000, "invalid_request_error.beta_api_shape_disabled")
    assert stage.ending() == REFUSED


def test_the_first_link_has_six_seconds_in_two_tries() -> None:
    stage = Stage(opened=False)
    stage.listen(2_900)
    assert stage.links_opened == 1
    stage.listen(200)
    assert stage.links_opened == 2
    stage.listen(2_700)
    assert stage.ending() is None
    stage.listen(300)
    assert stage.ending() == FAILED


def test_the_time_of_the_first_link_counts_from_the_first_tick() -> None:
    stage = Stage(opened=False, ticked=False)
    stage.call.time_passed(20_000)
    stage.call.time_passed(22_900)
    stage.flush()
    assert stage.links_opened == 1
    stage.call.time_passed(23_100)
    stage.flush()
    assert stage.links_opened == 2


def test_a_link_that_is_ready_before_the_first_tick_is_not_given_up() -> None:
    stage = Stage(ticked=False)
    stage.call.time_passed(100)
    stage.call.time_passed(7_000)
    stage.flush()
    assert (stage.links_closed, stage.ending()) == (0, None)


def test_a_link_lost_again_soon_after_it_was_recovered_is_given_up() -> None:
    stage = talked()
    stage.lose_link()
    stage.open()
    stage.listen(5_000)
    stage.lose_link()
    assert stage.ending() == FAILED


def test_a_link_lost_long_after_it_was_recovered_is_recovered_again() -> None:
    stage = talked()
    stage.lose_link()
    stage.open()
    for number in range(4):
        stage.say(f"x{number}", f"X{number}", 10_000, 5)
        stage.listen(10_000)
    stage.lose_link()
    stage.open()
    assert stage.ending() is None


def test_an_expired_session_is_replaced() -> None:
    stage = talked()
    stage.agent("error", error={"type": "invalid_request_error", "code": "session_expired", "message": "60 minutes"})
    assert (stage.links_closed, stage.links_opened) == (1, 2)
    stage.open()
    assert len(replayed(stage)) == 3


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        ({"type": "invalid_request_error", "code": "invalid_value", "message": "bad voice"}, REFUSED),
        ({"type": "invalid_request_error", "code": "model_not_found"}, REFUSED),
        ({"type": "billing", "code": "billing_hard_limit_reached"}, REFUSED),
        ({"type": "server_error", "code": "internal"}, None),
        ({"type": "invalid_request_error", "code": "session_expired"}, None),
    ],
)
def test_an_error_before_the_session_is_ready(error: dict[str, str], ending: CloseCall | None) -> None:
    stage = Stage(opened=False)
    stage.call.link_opened()
    stage.agent("error", error=error)
    assert stage.ending() == ending
    assert stage.links_closed == 1


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_session_in_another_format_would_be_noise_and_is_refused(side: str) -> None:
    stage = Stage(opened=False)
    stage.call.link_opened()
    audio: dict[str, object] = {"input": {"format": {"type": "audio/pcmu"}}, "output": {}}
    audio[side] = {"format": {"type": "audio/pcm", "rate": 24_000}}
    stage.agent("session.updated", session={"audio": audio})
    assert stage.ending() == REFUSED


def test_a_session_is_renewed_before_its_limit_while_neither_side_speaks() -> None:
    stage = Stage(
        briefing(limits=CallLimits(roll_over_after_ms=5_000, reprompt_after_ms=60_000, goodbye_after_ms=90_000))
    )
    stage.take_turn("u1", "Hello?")
    stage.say("r1", "A", 5_000, 1, "A long story.")
    stage.listen(4_900)
    assert stage.links_opened == 1  # 5,900 ms old, but he is listening
    stage.listen(700)
    assert (stage.links_closed, stage.links_opened) == (1, 2)
    assert stage.happened[-1] == "session_renewed"
    stage.open()
    assert replayed(stage) == [("user", "Hello?"), ("assistant", "A long story.")]
    assert stage.requested == []
    assert "tone_played" not in stage.happened


def test_a_link_lost_soon_after_a_renewal_is_recovered() -> None:
    stage = Stage(briefing(limits=CallLimits(roll_over_after_ms=2_000)))
    stage.listen(2_100)
    stage.open()
    stage.lose_link()
    assert stage.ending() is None
    stage.open()


def test_a_renewal_waits_for_tools() -> None:
    stage = Stage(briefing(limits=CallLimits(roll_over_after_ms=2_000)))
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.listen(3_000)
    assert stage.links_opened == 1
