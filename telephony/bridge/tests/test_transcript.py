"""Both sides in the order spoken; the agent's text is cut to what was heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.calls.facts import LineSpoken, Speaker
from telephony.bridge.core.transcript import heard_text

from .stage import Stage


@pytest.mark.parametrize(
    ("heard_ms", "text"),
    [
        (0, ""),
        (200, ""),  # 19 characters x 0.2 = 3 of "Hello"
        (300, "Hello"),  # 5: exactly the word
        (500, "Hello"),  # 9 of "Hello the|re"
        (999, "Hello there my"),  # 18: one character short
        (1_000, "Hello there my dear"),
        (2_000, "Hello there my dear"),
    ],
)
def test_text_is_cut_in_proportion_at_a_word(heard_ms: int, text: str) -> None:
    assert heard_text("Hello there my dear", heard_ms=heard_ms, received_ms=1_000) == text


def test_text_without_audio_was_not_heard() -> None:
    assert heard_text("Hello", heard_ms=0, received_ms=0) == ""


@given(st.text(max_size=80), st.integers(0, 5_000), st.integers(0, 5_000))
def test_what_was_heard_is_always_a_beginning_of_what_was_said(text: str, heard_ms: int, received_ms: int) -> None:
    assert text.strip().startswith(heard_text(text.strip(), heard_ms=heard_ms, received_ms=received_ms))


def test_the_agents_line_is_recorded_when_its_text_is_whole() -> None:
    stage = Stage()
    stage.listen(200)
    stage.begin("r1")
    stage.text("A", "Hello ")
    stage.audio("r1", "A", 400, 1)
    stage.text("A", "there.")
    assert stage.lines == []
    stage.text("A", "Hello there.", whole=True)
    assert stage.lines == [LineSpoken("A", Speaker.AGENT, "Hello there.", spoken_at_ms=200, turn=0)]


def test_an_interrupted_line_is_recorded_again_as_it_was_heard() -> None:
    # 20 characters over 1,000 ms; 500 heard: 10 characters, back to the last whole word.
    stage = Stage()
    stage.say("r1", "A", 1_000, 1, "one two three four x")
    stage.listen(500)
    stage.speak()
    said, cut = stage.facts_of(LineSpoken)
    assert (said.text, said.is_cut) == ("one two three four x", False)
    assert (cut.text, cut.is_cut, cut.item_id) == ("one two", True, "A")


def test_text_that_comes_after_the_cut_is_not_added() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.text("A", "one two three four x")
    stage.audio("r1", "A", 1_000, 1)
    stage.listen(500)
    stage.speak()
    stage.text("A", " five")
    stage.text("A", "one two three four x five", whole=True)
    assert [line.text for line in stage.facts_of(LineSpoken)] == ["one two"]


def test_a_line_of_which_nothing_was_heard_is_not_recorded_unless_it_was_before() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 800, 1)
    stage.audio_done("r1", "A")
    stage.text("B", "second")
    stage.audio("r1", "B", 800, 2)
    stage.audio_done("r1", "B")
    stage.text("C", "third", whole=True)
    stage.audio("r1", "C", 800, 3)
    stage.listen(100)
    stage.speak()
    assert [(line.item_id, line.text, line.is_cut) for line in stage.facts_of(LineSpoken)] == [
        ("C", "third", False),
        ("C", "", True),
    ]


def test_lines_are_in_the_order_spoken_although_the_callers_text_comes_last() -> None:
    stage = Stage()
    stage.listen(1_000)
    stage.take_turn("u1", for_ms=800)
    stage.say("r1", "A", 400, 1, "Certainly.")
    stage.listen(500)
    stage.transcribe("u1", "A pizza.")
    assert [(line.speaker, line.text, line.turn) for line in stage.lines] == [
        (Speaker.CALLER, "A pizza.", 1),
        (Speaker.AGENT, "Certainly.", 1),
    ]
    assert [line.spoken_at_ms for line in stage.lines] == [1_000, 1_800]


def test_an_item_queued_behind_another_is_spoken_when_its_turn_comes() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 1_000, 1)
    stage.text("A", "one", whole=True)
    stage.audio("r1", "B", 1_000, 2)
    stage.text("B", "two", whole=True)
    assert [line.spoken_at_ms for line in stage.lines] == [0, 1_000]


def test_a_transcript_without_a_speech_start_has_the_time_of_its_arrival() -> None:
    stage = Stage()
    stage.listen(700)
    stage.transcribe("u9", " Hello. ")
    assert stage.lines == [LineSpoken("u9", Speaker.CALLER, "Hello.", spoken_at_ms=700, turn=0)]


def test_a_failed_transcription_stands_in_the_timeline() -> None:
    stage = Stage()
    kind = "conversation.item.input_audio_transcription.failed"
    stage.agent(kind, item_id="u1", error={"code": "audio_unintelligible"})
    stage.agent(kind, item_id="u2")
    assert stage.happened.count("transcription_failed") == 2


def test_hanging_up_cuts_the_agents_line_where_the_caller_left() -> None:
    stage = Stage()
    stage.say("r1", "A", 1_000, 1, "one two three four x")
    stage.listen(500)
    stage.call.caller_frame('{"event":"stop"}')
    stage.flush()
    assert (stage.lines[0].text, stage.lines[0].is_cut) == ("one two", True)
    assert stage.phone.clears == 0


def test_an_id_used_by_both_sides_keeps_its_first_speaker() -> None:
    stage = Stage()
    stage.transcribe("x", "mine")
    stage.text("x", "yours", whole=True)
    stage.text("y", "agent", whole=True)
    stage.transcribe("y", "caller")
    assert [(line.item_id, line.text) for line in stage.facts_of(LineSpoken)] == [("x", "mine"), ("y", "agent")]
