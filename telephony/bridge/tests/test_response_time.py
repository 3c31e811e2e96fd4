"""The response time of a turn: end of speech to the first mark echoed after it, in its parts."""

from __future__ import annotations

from sessions.calls.facts import TurnAnswered

from .stage import Stage, TurnDetection, briefing


def test_the_parts_add_up_to_the_response_time() -> None:
    # Speech begins at 1,000 and is noticed to have ended at 3,000: with 500 ms of silence waited for, it ended at
    # 2,500. First audio at 3,300. Its first frame of 20 ms is played at 3,320 and the mark echoed then.
    stage = Stage()
    stage.listen(1_000)
    stage.take_turn(for_ms=2_000)
    stage.listen(300)
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.listen(100)
    assert stage.facts_of(TurnAnswered) == [
        TurnAnswered(number=1, speech_ended_ms=2_500, response_ms=820, detection_ms=500, model_ms=300, playout_ms=20)
    ]


def test_an_end_that_does_not_count_the_silence_in_is_taken_as_it_is() -> None:
    # Noticed at 3,000 with audio_end_ms 2,400: 600 ms earlier, so it cannot include the 500 ms waited for.
    stage = Stage()
    stage.speak()
    stage.listen(3_000)
    stage.agent("input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=2_400)
    stage.commit()
    stage.say("r1", "A", 400, 1)
    stage.listen(100)
    assert stage.facts_of(TurnAnswered)[0].speech_ended_ms == 2_400


def test_semantic_detection_has_no_fixed_silence_to_take_off() -> None:
    stage = Stage(type="semantic_vad")
    stage.take_turn(for_ms=2_000)
    stage.say("r1", "A", 400, 1)
    stage.listen(100)
    assert stage.facts_of(TurnAnswered)[0].speech_ended_ms == 2_000


def test_only_the_first_audio_of_a_turn_counts() -> None:
    stage = Stage()
    stage.take_turn()
    stage.say("r1", "A", 400, 1)
    stage.say("r2", "B", 400, 2)
    stage.listen(1_000)
    assert len(stage.facts_of(TurnAnswered)) == 1


def test_a_greeting_is_no_answer() -> None:
    stage = Stage()
    stage.say("r1", "A", 400, 1)
    stage.listen(500)
    assert stage.facts_of(TurnAnswered) == []


def test_a_tone_is_no_answer() -> None:
    stage = Stage()
    stage.take_turn(for_ms=1_000)
    stage.listen(3_000)
    assert stage.facts_of(TurnAnswered) == []
    stage.say("r1", "A", 400, 1)
    stage.listen(100)
    [turn] = stage.facts_of(TurnAnswered)
    assert turn.response_ms == 3_520  # speech ended at 500, its answer is heard at 4,020


def test_what_was_still_to_be_heard_before_the_turn_is_no_answer() -> None:
    # An agent that may not be interrupted speaks on; only its next item answers.
    stage = Stage(briefing(turn_detection=TurnDetection(interrupts=False)), interrupt_response=False)
    stage.say("r1", "A", 3_000, 1)
    stage.take_turn(for_ms=1_000)
    stage.say("r2", "B", 400, 2)
    stage.listen(1_900)
    assert stage.facts_of(TurnAnswered) == []
    stage.listen(200)
    assert len(stage.facts_of(TurnAnswered)) == 1


def test_a_turn_whose_answer_is_spoken_over_is_not_measured() -> None:
    stage = Stage()
    stage.take_turn("u1")
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.speak("u2")
    stage.listen(500)
    assert stage.facts_of(TurnAnswered) == []
