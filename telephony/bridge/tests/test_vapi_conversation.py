"""A conversation with a VAPI assistant: greeting, turns, interruptions, tools, keys, and what goes wrong."""

from __future__ import annotations

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import TurnAnswered, TurnInterrupted
from sessions.calls.outcomes import EndCall, Transfer
from telephony.bridge.core.actions import FailOver, HandOver, HangUp, LinkLoss, Show
from telephony.bridge.core.kept_audio import LEAD_BYTES
from telephony.bridge.core.ulaw import SILENCE

from .stage import briefing
from .vapi_stage import VapiStage

VOICE = bytes(range(0x20, 0x70)) * 2

SILENT_FRAME = SILENCE * 160


def test_the_callers_audio_goes_to_vapi_as_it_came() -> None:
    stage = VapiStage()
    stage.listen(1_000)
    assert stage.caller_audio == SILENCE * 8_000


def test_what_the_caller_said_before_is_sent_when_the_assistant_is_ready() -> None:
    stage = VapiStage(opened=False)
    stage.listen(500)
    stage.frame(stage.ms, VOICE)
    stage.ms += 20
    stage.listen(60)
    assert not stage.caller_audio
    stage.open()
    # VAPI takes it for live sound: the silence before it would put all that follows behind.
    assert stage.caller_audio == SILENCE * LEAD_BYTES + VOICE + SILENCE * 480


def test_the_greeting_is_said_once_and_is_a_line() -> None:
    stage = VapiStage(briefing("Hello, this is the garage."))
    stage.speaks(1_000, "Hello, this is the garage.")
    stage.listen(2_000)
    assert stage.spoken_by_us == ["Hello, this is the garage."]
    assert [line.text for line in stage.lines] == ["Hello, this is the garage."]
    assert stage.phone.heard[0x20] == 8_000


def test_what_the_caller_says_is_shown_as_it_is_understood() -> None:
    stage = VapiStage()
    stage.call._conversation.show_lines()
    stage.transcript("user", "of nothing", "partial")
    stage.user("started")
    stage.transcript("user", "An oil", "partial")
    stage.transcript("user", "An oil change", "partial")
    stage.transcript("assistant", "not the caller's", "partial")
    stage.user("stopped")
    stage.transcript("user", "An oil change, please.")
    assert [act.line.text for act in stage.actions if isinstance(act, Show)] == ["", "An oil", "An oil change"]
    assert [line.text for line in stage.lines] == ["An oil change, please."]


def test_an_assistant_that_greets_by_itself_is_not_asked_to() -> None:
    stage = VapiStage(briefing("Hello."), opened=False)
    stage.call.link_opened()
    stage.sound(500)
    stage.transcript("assistant", "Hello.")
    stage.assistant("stopped")
    stage.listen(1_000)
    assert not stage.spoken_by_us
    assert [line.text for line in stage.lines] == ["Hello."]


def test_a_greeting_that_is_not_spoken_is_requested_in_another_way() -> None:
    stage = VapiStage(briefing("Hello."))
    for _ in range(9):
        stage.listen(2_000)
        stage.event("metadata", metadata="not about speech")
    assert stage.spoken_by_us == ["Hello.", "Hello."]
    assert stage.sent("control") == [{"type": "control", "control": "say-first-message"}]
    stage.speaks(500, "Hello.")
    stage.listen(500)
    assert [line.text for line in stage.lines] == ["Hello."]
    assert not stage.is_over()


def test_a_kept_greeting_is_told_and_not_repeated() -> None:
    stage = VapiStage(briefing("Hello.", greeting_audio=b"\x21" * 8_000))
    assert not stage.spoken_by_us
    (added,) = stage.sent("add-message")
    assert added["message"] == {"role": "assistant", "content": "Hello."}
    assert added["triggerResponseEnabled"] is False


def test_a_protected_greeting_cannot_be_interrupted_at_vapi() -> None:
    stage = VapiStage(briefing("Hello.", protects_greeting=True))
    assert [frame["interruptionsEnabled"] for frame in stage.sent("say")] == [False]


def test_a_turn_is_answered_and_measured() -> None:
    stage = VapiStage()
    stage.says("A tire change, please.")
    stage.listen(600)
    stage.speaks(1_000, "On which day?")
    stage.listen(1_000)
    assert [(line.speaker, line.text) for line in stage.lines] == [
        ("caller", "A tire change, please."),
        ("agent", "On which day?"),
    ]
    (turn,) = stage.facts_of(TurnAnswered)
    assert turn.number == 1
    assert 600 <= turn.response_ms <= 800


@pytest.mark.parametrize("size", [160, 100, 320, 333, 1_600])
def test_frames_of_any_size_are_played_to_the_last_byte(size: int) -> None:
    stage = VapiStage()
    stage.assistant("started")
    total = size * 20
    for _ in range(20):
        stage.binary(b"\x20" * size)
    stage.assistant("stopped")
    stage.listen(6_000)
    assert stage.phone.heard[0x20] == total


def test_silence_between_utterances_is_not_played() -> None:
    stage = VapiStage()
    for _ in range(100):
        stage.binary(SILENT_FRAME)
        stage.listen(20)
    assert not stage.phone.media_bytes


def test_an_utterance_without_its_end_ends_when_it_falls_quiet() -> None:
    stage = VapiStage()
    stage.says("Hello?")
    stage.assistant("started")
    stage.sound(1_000)
    for _ in range(150):
        stage.binary(SILENT_FRAME)
        stage.listen(20)
    assert stage.dialect is not None
    assert not stage.dialect.is_due
    stage.says("Are you there?")
    assert not stage.is_over()


def test_an_utterance_whose_end_is_lost_does_not_hold_the_call() -> None:
    stage = VapiStage()
    stage.says("Hello?")
    stage.assistant("started")
    stage.sound(1_000)
    stage.listen(6_000)
    assert stage.dialect is not None
    assert not stage.dialect.is_due
    assert stage.links_opened == 1


def test_sound_without_any_event_is_an_answer() -> None:
    stage = VapiStage()
    stage.transcript("user", "Hello?")
    stage.sound(500, 0x33)
    stage.listen(500)
    assert stage.phone.heard[0x33] == 4_000
    assert stage.lines[0].text == "Hello?"


def test_the_transcript_is_cut_at_what_was_heard() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.transcript("assistant", "Our opening hours are from eight in the morning to six in the evening.")
    stage.sound(1_000)
    stage.event("user-interrupted")
    stage.listen(500)
    (line,) = stage.lines
    assert line.is_cut
    assert line.text == "Our opening"
    (interrupted,) = stage.facts_of(TurnInterrupted)
    assert 900 <= interrupted.heard_ms <= 1_000


def test_a_text_that_comes_after_the_interruption_is_cut_as_well() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(1_000)
    stage.event("user-interrupted")
    stage.transcript("assistant", "Our opening hours are from eight in the morning to six in the evening.")
    (line,) = stage.lines
    assert (line.text, line.is_cut) == ("Our opening", True)


def test_sound_that_was_sent_ahead_is_cut_in_proportion() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.transcript("assistant", "One two three four five six seven eight nine ten.")
    stage.sound(4_000, at_once=True)
    stage.listen(2_000)
    stage.event("user-interrupted")
    assert stage.lines[0].text == "One two three four five"
    assert stage.phone.clears == 1


def test_late_sound_of_what_was_interrupted_is_dropped_and_the_next_answer_is_not() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(1_000, 0x20)
    stage.user("started")
    stage.event("user-interrupted")
    heard = stage.phone.heard[0x20]
    stage.sound(200, 0x20, at_once=True)
    stage.listen(1_000)
    stage.transcript("user", "Wait.")
    stage.user("stopped")
    stage.sound(500, 0x21)
    stage.listen(500)
    assert stage.phone.heard[0x20] == heard
    assert stage.phone.heard[0x21] == 4_000


def test_speech_that_vapi_does_not_take_for_an_interruption_stops_nothing() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(500)
    stage.user("started")
    stage.sound(500)
    stage.user("stopped")
    stage.transcript("user", "Mhm.")
    stage.sound(500)
    stage.assistant("stopped")
    stage.listen(500)
    assert not stage.phone.clears
    assert stage.phone.heard[0x20] == 12_000
    assert "Mhm." in [line.text for line in stage.lines]
    assert not stage.facts_of(TurnInterrupted)


def test_who_speaks_on_after_the_assistant_has_a_turn() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(500)
    stage.user("started")
    stage.sound(200)
    stage.assistant("stopped")
    stage.listen(500)
    stage.transcript("user", "I need a tire change.")
    stage.user("stopped")
    lines = [(line.speaker, line.text, line.turn) for line in stage.lines if line.text]
    assert ("caller", "I need a tire change.", 1) in lines


def test_sound_that_vapi_has_sent_to_its_end_is_interrupted_by_speech() -> None:
    """VAPI takes it for spoken, and says nothing of an interruption."""
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(3_000, at_once=True)
    stage.transcript("assistant", "One two three four five six seven.")
    stage.assistant("stopped")
    stage.listen(1_000)
    stage.user("started")
    assert stage.phone.clears == 1
    assert stage.lines[0].is_cut


def test_speech_without_words_is_answered_by_a_question() -> None:
    stage = VapiStage()
    stage.user("started")
    stage.listen(500)
    stage.user("stopped")
    stage.listen(6_000)
    assert stage.spoken_by_us == [stage.brief.phrases.missed]


def test_a_silent_assistant_is_asked_to_answer() -> None:
    stage = VapiStage()
    stage.says("A tire change, please.")
    stage.listen(5_000)
    (nudge,) = stage.sent("add-message")
    assert nudge["triggerResponseEnabled"] is True


def test_an_assistant_that_works_on_its_answer_gets_more_time() -> None:
    stage = VapiStage()
    stage.says("A tire change, please.")
    stage.event("model-output", output="On")
    stage.listen(5_000)
    assert not stage.sent("add-message")


def test_a_tool_runs_at_the_server_and_its_outcome_is_learned() -> None:
    stage = VapiStage()
    stage.says("That is all, goodbye.")
    call = {"id": "call_1", "type": "function", "function": {"name": "end_call", "arguments": {}}}
    stage.event("tool-calls", toolCallList=[call])
    stage.event("tool-calls", toolCallList=[call])
    assert [tool.tool_call_id for tool in stage.tools] == ["call_1"]
    stage.answer_tool("call_1", '{"ok": true}', EndCall())
    stage.speaks(1_000, "Goodbye.")
    assert not stage.is_over()
    stage.listen(500)
    ending = stage.ending()
    assert ending is not None
    assert (ending.reason, ending.follow_up) == (EndReason.AGENT_HUNG_UP, HangUp())
    assert not stage.sent("add-message")


def test_a_transfer_by_tool_hands_the_caller_over() -> None:
    stage = VapiStage()
    stage.says("A person, please.")
    call = {"id": "call_1", "name": "transfer_call", "arguments": {"target": "desk"}}
    stage.event("tool-calls", toolCallList=[call])
    stage.answer_tool("call_1", '{"ok": true}', Transfer("desk"))
    stage.speaks(500, "I put you through.")
    stage.listen(500)
    ending = stage.ending()
    assert ending is not None
    assert ending.follow_up == HandOver("desk")


def test_a_tool_of_vapis_own_is_only_noted() -> None:
    stage = VapiStage()
    stage.event("tool-calls", toolCallList=[{"id": "c", "name": "endCall", "arguments": {}}])
    assert not stage.tools
    assert stage.happened[-1] == "tool_elsewhere"


def test_a_slow_tool_is_filled_in() -> None:
    stage = VapiStage()
    stage.says("Is there a margherita?")
    stage.event("tool-calls", toolCallList=[{"id": "c", "name": "look_up_items", "arguments": {"query": "m"}}])
    stage.listen(2_000)
    assert stage.spoken_by_us == [stage.brief.phrases.filler]


def test_a_key_is_a_message_that_vapi_answers() -> None:
    stage = VapiStage()
    stage.press("0")
    typed, nudge = stage.sent("add-message")
    assert typed["message"]["role"] == "user"
    assert "pressed 0" in typed["message"]["content"]
    assert [typed["triggerResponseEnabled"], nudge["triggerResponseEnabled"]] == [False, True]


def test_a_lost_link_is_replaced_by_a_call_that_knows_the_conversation() -> None:
    stage = VapiStage(briefing("Hello."))
    stage.speaks(500, "Hello.")
    stage.says("A tire change, please.")
    stage.lose_link(1006)
    stage.listen(500)
    assert stage.links_opened == 2
    stage.open()
    added = [frame["message"] for frame in stage.sent("add-message")]
    assert added[:2] == [
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "A tire change, please."},
    ]
    assert stage.spoken_by_us == ["Hello."]
    assert stage.sent("add-message")[-1]["triggerResponseEnabled"] is True


def test_a_silent_caller_is_asked_and_then_the_call_ends() -> None:
    stage = VapiStage(briefing("Hello."))
    stage.speaks(500, "Hello.")
    stage.listen(9_000)
    assert stage.spoken_by_us[-1] == stage.brief.phrases.reprompt
    stage.speaks(500, "Are you still there?")
    stage.listen(13_000)
    assert stage.spoken_by_us[-1] == stage.brief.phrases.silence_goodbye
    stage.speaks(500, "Goodbye.")
    stage.listen(1_000)
    ending = stage.ending()
    assert ending is not None
    assert ending.reason is EndReason.CALLER_SILENT


@pytest.mark.parametrize("garbage", ["", "hello", "{", "[]", '{"type":7}', "{" * 5_000, '{"message":{"type":[]}}'])
def test_garbage_is_counted_and_at_last_replaces_the_link(garbage: str) -> None:
    stage = VapiStage()
    stage.agent_says(garbage)
    assert (stage.is_over(), stage.links_opened) == (False, 1)
    for _ in range(20):
        stage.agent_says(garbage)
    assert stage.links_opened == 2


def test_texts_without_end_are_not_kept() -> None:
    stage = VapiStage()
    for number in range(2_000):
        stage.event("voice-input", input=f"word {number} of many more")
        stage.transcript("user", f"word {number} of many more")
    stage.assistant("started")
    stage.sound(500)
    assert stage.lines
    assert all(len(line.text) <= 10_000 for line in stage.lines)
    assert not stage.is_over()


def test_a_transcript_of_another_shape_is_a_bad_frame() -> None:
    stage = VapiStage()
    for text in ('{"type":"transcript","role":7}', '{"type":"tool-calls","toolCallList":{}}'):
        stage.agent_says(text)
    assert not stage.tools
    assert stage.links_opened == 1


@pytest.mark.parametrize("arguments", ["null", "[]", '"{"', "7", '"\\u0000"', '{"a": NaN}'])
def test_arguments_that_are_no_object_are_passed_on_or_refused(arguments: str) -> None:
    stage = VapiStage()
    call = '{"id":"c","name":"look_up_items","arguments":' + arguments + "}"
    stage.agent_says('{"type":"tool-calls","toolCallList":[' + call + "]}")
    assert not stage.is_over()
    assert len(stage.tools) <= 1


def test_a_provider_that_refuses_at_once_is_replaced() -> None:
    stage = VapiStage(briefing("Hello.", fallback_provider="other"), opened=False)
    stage.lose_link(402, "vapi: returned 402 Payment Required", is_fatal=True)
    assert [action.why for action in stage.actions if isinstance(action, FailOver)] == [
        "vapi: returned 402 Payment Required"
    ]
    assert not stage.is_over()


def test_a_slow_provider_is_replaced_within_three_seconds_and_greets_once() -> None:
    stage = VapiStage(briefing("Hello.", fallback_provider="other"), opened=False)
    stage.listen(2_300)
    assert not any(isinstance(action, FailOver) for action in stage.actions)
    stage.listen(300)
    assert any(isinstance(action, FailOver) for action in stage.actions)
    stage.call.change_agent(stage._dialect)
    stage.flush()
    assert stage.links_opened == 2
    stage.open()
    assert stage.spoken_by_us == ["Hello."]


def test_the_second_provider_is_not_replaced_again() -> None:
    stage = VapiStage(briefing("Hello.", fallback_provider="other"), opened=False)
    stage.lose_link(503, "down")
    stage.call.change_agent(stage._dialect)
    stage.call.link_lost(LinkLoss(401, "no", is_fatal=True))
    stage.flush()
    assert sum(isinstance(action, FailOver) for action in stage.actions) == 1
    assert stage.is_over()


def test_a_provider_that_answered_is_not_replaced() -> None:
    stage = VapiStage(briefing("Hello.", fallback_provider="other"))
    stage.lose_link(1006)
    assert not any(isinstance(action, FailOver) for action in stage.actions)
    assert stage.links_opened == 2
