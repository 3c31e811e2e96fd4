"""A response that ends without being heard is detected, recorded in the timeline, and retried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from sessions.calls.outcomes import EndCall
from telephony.bridge.core.actions import CloseCall, FallBack, HangUp

from .stage import SILENT, Stage, briefing
from .test_never_silent import quiet_ms

PHRASES = briefing().phrases
FAILED = CloseCall(EndReason.PROVIDER_FAILED, FallBack())
TOOLS = ({"type": "function", "name": "change_order", "description": "", "parameters": {}},)
Ending = Callable[[Stage, str], None]


def reasons(stage: Stage, kind: str = "response_not_heard") -> list[Any]:
    return [fact.detail["code"] for fact in stage.facts_of(SomethingHappened) if fact.kind == kind]


def words_only(item: str, text: str) -> dict[str, object]:
    content = [{"type": "output_text", "text": text}]
    return {"id": item, "type": "message", "role": "assistant", "status": "completed", "content": content}


def half_a_sentence(stage: Stage, response: str) -> None:
    stage.audio(response, f"item_{response}", 400, 1)
    stage.audio_done(response, f"item_{response}")


def cut_by_length(stage: Stage, response: str) -> None:
    half_a_sentence(stage, response)
    stage.done(response, "incomplete", status_details={"type": "incomplete", "reason": "max_output_tokens"})


def cut_by_filter(stage: Stage, response: str) -> None:
    half_a_sentence(stage, response)
    stage.done(response, "incomplete", status_details={"type": "incomplete", "reason": "content_filter"})


def cut_without_a_reason(stage: Stage, response: str) -> None:
    half_a_sentence(stage, response)
    stage.done(response, "incomplete")


def with_an_item_that_is_cut(stage: Stage, response: str) -> None:
    half_a_sentence(stage, response)
    item = {"id": f"item_{response}", "type": "message", "role": "assistant", "status": "incomplete"}
    stage.done(response, output=[item])


def empty(stage: Stage, response: str) -> None:
    stage.done(response)


def of_words_alone(stage: Stage, response: str) -> None:
    stage.agent("response.output_text.delta", response_id=response, item_id="t", delta="Hello")
    stage.done(response, output=[words_only("t", "Hello")])


def of_a_transcript_without_audio(stage: Stage, response: str) -> None:
    stage.text(f"item_{response}", "Hello", whole=True)
    stage.done(response)


def of_audio_without_length(stage: Stage, response: str) -> None:
    stage.delta(response, f"item_{response}", b"")
    stage.audio_done(response, f"item_{response}")
    stage.done(response)


def of_silence(stage: Stage, response: str) -> None:
    stage.delta(response, f"item_{response}", SILENT)
    stage.audio_done(response, f"item_{response}")
    stage.done(response)


def cancelled_by_the_server(stage: Stage, response: str) -> None:
    half_a_sentence(stage, response)
    stage.done(response, "cancelled", status_details={"type": "cancelled", "reason": "turn_detected"})


def with_an_unknown_status(stage: Stage, response: str) -> None:
    stage.audio(response, f"item_{response}", 400, 1)
    stage.done(response, "expired")


def without_a_status(stage: Stage, response: str) -> None:
    stage.agent("response.done", response={"id": response})


ENDINGS: dict[Ending, str] = {
    cut_by_length: "max_output_tokens",
    cut_by_filter: "content_filter",
    cut_without_a_reason: "incomplete",
    with_an_item_that_is_cut: "incomplete",
    empty: "no_audio",
    of_words_alone: "no_audio",
    of_a_transcript_without_audio: "no_audio",
    of_audio_without_length: "no_audio",
    of_silence: "no_audio",
    cancelled_by_the_server: "turn_detected",
    with_an_unknown_status: "unknown_status",
    without_a_status: "no_audio",
}


@pytest.mark.parametrize(("ending", "reason"), ENDINGS.items())
def test_an_answer_that_was_not_heard_is_requested_again_then_in_other_words_then_the_call_falls_back(
    ending: Ending, reason: str
) -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    ending(stage, "r1")
    assert stage.requested == [""]
    stage.begin("r2")
    ending(stage, "r2")
    assert stage.requested == ["", PHRASES.missed]
    assert reasons(stage) == [reason] * 2
    stage.begin("r3")
    ending(stage, "r3")
    assert stage.ending() == FAILED


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_answer_heard_the_second_time_is_enough(ending: Ending) -> None:
    stage = Stage()
    for turn in range(4):
        stage.take_turn(f"u{turn}")
        stage.begin(f"a{turn}")
        ending(stage, f"a{turn}")
        stage.say(f"b{turn}", f"B{turn}", 400, 2)
        stage.listen(1_500)
    assert stage.ending() is None
    assert stage.requested == [""] * 4
    assert stage.phone.heard[2] == 4 * 3_200


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_greeting_that_was_not_heard_is_repeated_then_said_in_other_words_then_the_call_falls_back(
    ending: Ending,
) -> None:
    stage = Stage(briefing(greeting="Welcome!"))
    stage.begin("r1")
    ending(stage, "r1")
    assert stage.requested == ["Welcome!", "Welcome!"]
    stage.begin("r2")
    ending(stage, "r2")
    assert "Welcome!" in stage.requested[2]
    assert stage.requested[2] != "Welcome!"
    stage.begin("r3")
    ending(stage, "r3")
    assert stage.ending() == FAILED


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_protected_greeting_that_was_not_heard_keeps_its_protection(ending: Ending) -> None:
    stage = Stage(briefing(greeting="Welcome!", protects_greeting=True))
    stage.begin("r1")
    ending(stage, "r1")
    stage.listen(500)
    assert len(stage.sent("session.update")) == 1
    assert stage.requested == ["Welcome!", "Welcome!"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_goodbye_that_was_not_heard_is_repeated_and_then_the_call_ends_as_decided(ending: Ending) -> None:
    stage = Stage()
    stage.listen(8_000)
    stage.say("r1", "Q", 400, 2)
    stage.listen(12_000)
    for number in (2, 3):
        assert stage.ending() is None
        stage.begin(f"r{number}")
        ending(stage, f"r{number}")
    assert stage.requested[1:3] == [PHRASES.silence_goodbye] * 2
    assert PHRASES.silence_goodbye in stage.requested[3]
    stage.begin("r4")
    ending(stage, "r4")
    assert stage.ending() == CloseCall(EndReason.CALLER_SILENT, HangUp())


@pytest.mark.parametrize("ending", [empty, of_words_alone, of_audio_without_length, cut_by_length])
def test_a_farewell_that_was_not_heard_is_spoken_before_the_agent_hangs_up(ending: Ending) -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1", "end_call")
    ending(stage, "r1")
    stage.answer_tool("c1", then=EndCall())
    stage.listen(1_000)
    assert stage.ending() is None
    assert stage.requested == [""]
    stage.say("r2", "B", 400, 2)
    stage.listen(600)
    assert stage.ending() == CloseCall(EndReason.AGENT_HUNG_UP, HangUp())
    assert stage.phone.heard[2] == 3_200


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_answer_after_a_reconnect_that_was_not_heard_is_repeated(ending: Ending) -> None:
    stage = Stage()
    stage.take_turn("u1", "A pizza, please.")
    stage.lose_link()
    stage.open()
    assert stage.requested == [""]
    stage.begin("r1")
    ending(stage, "r1")
    assert stage.requested == ["", ""]


def test_a_greeting_known_only_by_its_text_is_spoken_by_the_next_session() -> None:
    stage = Stage(briefing(greeting="Welcome!"))
    stage.begin("r1")
    stage.text("G", "Welcome!", whole=True)
    stage.lose_link()
    stage.open()
    assert stage.requested == ["Welcome!", "Welcome!"]
    assert stage.sent("conversation.item.create") == []


def test_what_was_not_said_aloud_is_not_in_the_transcript() -> None:
    stage = Stage()
    stage.take_turn("u1", "Hello?")
    stage.begin("r1")
    of_a_transcript_without_audio(stage, "r1")
    assert [line.text for line in stage.lines if line.text] == ["Hello?"]


def cut_call(stage: Stage) -> None:
    stage.request_tool("r1", "c1", status="incomplete", arguments='{"chang')
    stage.done("r1", "incomplete", status_details={"reason": "max_output_tokens"})


def cut_call_in_the_output(stage: Stage) -> None:
    call = {"id": "i", "type": "function_call", "status": "incomplete", "call_id": "c1", "name": "change_order"}
    stage.done("r1", "incomplete", output=[call])


def call_begun_and_never_finished(stage: Stage) -> None:
    call = {"id": "i", "type": "function_call", "status": "in_progress", "call_id": "c1", "name": "change_order"}
    stage.agent("response.output_item.added", response_id="r1", output_index=0, item=call)
    stage.done("r1")


def call_without_an_id(stage: Stage) -> None:
    call = {"id": "i", "type": "function_call", "status": "completed", "name": "change_order", "arguments": "{}"}
    stage.done("r1", output=[call])


def cut_call_after_words(stage: Stage) -> None:
    half_a_sentence(stage, "r1")
    stage.request_tool("r1", "c1", status="incomplete", arguments="{")
    stage.done("r1")


@pytest.mark.parametrize(
    "ending",
    [cut_call, cut_call_in_the_output, call_begun_and_never_finished, call_without_an_id, cut_call_after_words],
)
def test_a_tool_call_that_is_lost_is_noticed_and_made_again(ending: Callable[[Stage], None]) -> None:
    stage = Stage(briefing(tools=TOOLS))
    stage.take_turn()
    stage.begin("r1")
    ending(stage)
    assert stage.tools == []
    [lost] = [fact for fact in stage.facts_of(SomethingHappened) if fact.kind == "tool_call_lost"]
    assert lost.detail == {"tool": "change_order"}
    assert reasons(stage) == ["tool_call_lost"]
    assert stage.requested == [""]


def test_a_call_lost_beside_a_whole_one_is_made_again_when_that_was_run() -> None:
    stage = Stage(briefing(tools=TOOLS))
    stage.take_turn()
    stage.begin("r1")
    half_a_sentence(stage, "r1")
    stage.request_tool("r1", "c1")
    lost = {"id": "i2", "type": "function_call", "status": "incomplete", "call_id": "c2", "name": "change_order"}
    stage.agent("response.output_item.done", response_id="r1", output_index=1, item=lost)
    stage.done("r1", "incomplete")
    assert [tool.tool_call_id for tool in stage.tools] == ["c1"]
    assert stage.requested == []
    stage.answer_tool("c1")
    assert stage.requested == [""]
    assert "tool_call_lost" in stage.happened


def test_a_call_that_the_caller_interrupted_is_not_made_again() -> None:
    stage = Stage(briefing(tools=TOOLS))
    stage.take_turn("u1")
    stage.begin("r1")
    half_a_sentence(stage, "r1")
    stage.speak("u2")
    stage.request_tool("r1", "c1", status="incomplete", arguments="{")
    stage.done("r1", "cancelled", status_details={"type": "cancelled", "reason": "turn_detected"})
    stage.fall_silent("u2")
    stage.commit("u2")
    assert stage.requested == []
    assert "tool_call_lost" not in stage.happened


def test_a_response_of_tools_alone_is_no_failure() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    assert reasons(stage) == []
    assert stage.requested == []


def test_silence_is_not_played_out_before_the_answer_is_repeated() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    for _ in range(20):
        stage.delta("r1", "item", SILENT * 50)
    stage.done("r1")
    assert stage.requested == [""]
    stage.say("r2", "A", 400, 1)
    stage.listen(2_000)
    assert stage.phone.heard[1] == 3_200


def test_an_unknown_status_with_the_whole_of_the_audio_is_an_answer() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    half_a_sentence(stage, "r1")
    stage.done("r1", "finished")
    assert stage.requested == []


def test_a_filler_that_was_not_heard_is_not_made_up_for_once_the_tool_has_ended() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.listen(1_600)
    assert stage.requested == [PHRASES.filler]
    stage.begin("r2")
    stage.answer_tool("c1")
    stage.done("r2")
    assert stage.requested == [PHRASES.filler, ""]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_caller_is_never_left_in_silence(ending: Ending) -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    ending(stage, "r1")
    assert quiet_ms(stage, 20_000) < 5_000
