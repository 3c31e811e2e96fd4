"""The caller is silent: a question after 8 s, a goodbye after 20. Both may come one tick (100 ms) early."""

from __future__ import annotations

from sessions.calls.end_reasons import EndReason
from telephony.bridge.core.actions import CloseCall, HangUp

from .stage import CallLimits, Stage, briefing

PHRASES = briefing().phrases


def greeted() -> Stage:
    """The greeting was heard to its end at 1,000 ms; the tick notices at once, with the echo."""
    stage = Stage(briefing(greeting="Hello!"))
    stage.say("r1", "G", 1_000, 1)
    stage.listen(1_000)
    return stage


def test_the_agent_prompts_the_caller_after_8_s_of_silence() -> None:
    stage = greeted()
    stage.listen(7_800)
    assert stage.requested == ["Hello!"]
    stage.listen(200)
    assert stage.requested == ["Hello!", PHRASES.reprompt]


def test_silence_ends_the_call_after_20_s_and_the_question_does_not_count_as_speech() -> None:
    stage = greeted()
    stage.listen(8_000)
    stage.say("r2", "Q", 1_000, 2)
    stage.listen(11_800)
    assert stage.requested == ["Hello!", PHRASES.reprompt]
    stage.listen(200)
    assert stage.requested == ["Hello!", PHRASES.reprompt, PHRASES.silence_goodbye]
    stage.say("r3", "B", 2_000, 3)
    stage.listen(2_020)
    assert stage.ending() == CloseCall(EndReason.CALLER_SILENT, HangUp())
    assert stage.phone.heard[3] == 16_000


def test_speech_starts_the_silence_over() -> None:
    stage = greeted()
    stage.listen(7_000)
    stage.take_turn()
    stage.say("r2", "A", 1_000, 2)
    stage.listen(8_800)  # the answer is heard after 1,000 of these
    assert stage.requested == ["Hello!"]
    stage.listen(200)
    assert stage.requested == ["Hello!", PHRASES.reprompt]


def test_speech_after_the_question_starts_the_silence_over() -> None:
    stage = greeted()
    stage.listen(8_000)
    stage.say("r2", "Q", 1_000, 2)
    stage.listen(1_500)
    stage.take_turn()
    stage.say("r3", "A", 1_000, 3)
    stage.listen(1_000)
    stage.listen(7_800)
    assert stage.requested == ["Hello!", PHRASES.reprompt]
    stage.listen(200)
    assert stage.requested == ["Hello!", PHRASES.reprompt, PHRASES.reprompt]


def test_a_long_answer_is_not_silence() -> None:
    stage = Stage()
    stage.say("r1", "A", 30_000, 1)
    stage.listen(30_000)
    assert stage.requested == []


def test_a_long_turn_of_the_callers_is_not_silence() -> None:
    stage = Stage()
    stage.speak()
    stage.listen(30_000)
    assert stage.requested == []


def test_a_question_that_was_not_begun_is_dropped_when_he_speaks() -> None:
    stage = greeted()
    stage.listen(8_000)
    stage.speak()
    assert stage.sent("response.create")[-1]["event_id"] == "ask_2"
    stage.begin("r2")  # it crossed with his voice
    assert stage.sent("response.cancel") == [{"type": "response.cancel", "response_id": "r2"}]


def test_speaking_into_the_goodbye_keeps_the_line() -> None:
    stage = greeted()
    stage.listen(8_000)
    stage.say("r2", "Q", 500, 2)
    stage.listen(12_000)
    stage.begin("r3")
    stage.audio("r3", "B", 2_000, 3)
    stage.listen(500)
    stage.take_turn()
    stage.done("r3", "cancelled")
    stage.say("r4", "A", 500, 4)
    stage.listen(3_000)
    assert stage.ending() is None


def test_a_goodbye_waits_until_the_question_was_heard() -> None:
    limits = CallLimits(reprompt_after_ms=2_000, goodbye_after_ms=3_000)
    stage = Stage(briefing(limits=limits))
    stage.listen(2_000)
    stage.say("r1", "Q", 2_000, 1)  # until 4,000
    stage.listen(1_900)
    assert stage.requested == [PHRASES.reprompt]
    stage.listen(800)
    assert stage.requested == [PHRASES.reprompt, PHRASES.silence_goodbye]
