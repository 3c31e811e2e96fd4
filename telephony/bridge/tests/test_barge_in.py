"""Barge-in: what was heard is what the agent remembers. Times are worked out by hand beside each case."""

from __future__ import annotations

import json

import pytest

from sessions.calls.facts import TurnInterrupted

from .stage import Stage, TurnDetection, briefing


def test_one_item_is_cut_at_the_600_ms_heard_of_it() -> None:
    # A: 400 ms deltas, 2,000 ms in all; the caller speaks 600 ms into it.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 1)
    stage.listen(600)
    stage.speak()
    assert stage.truncations == [("A", 600)]
    assert stage.phone.heard[1] == 600 * 8
    assert stage.phone.clears == 1


def test_the_second_of_two_items_is_cut_at_its_own_500_ms() -> None:
    # B: B1 lasts 800 ms and is heard to its end; B2 has played 500 ms at 1,300 ms.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "B1", 800, 1)
    stage.audio_done("r1", "B1")
    stage.audio("r1", "B2", 1_200, 2)
    stage.listen(1_300)
    stage.speak()
    assert stage.truncations == [("B2", 500)]


def test_a_delta_that_comes_after_the_interruption_is_not_played() -> None:
    # C: the server's cancellation and this delta crossed on the wire.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 800, 1)
    stage.listen(300)
    stage.speak()
    stage.audio("r1", "A", 400, 1)
    stage.audio("r1", "A2", 400, 2)  # nor the next item of the same response
    stage.done("r1", "cancelled")
    stage.audio("r1", "A3", 400, 3)  # nor anything of it after its end
    stage.listen(1_000)
    assert stage.phone.heard[1] == 300 * 8
    assert stage.phone.heard[2] == stage.phone.heard[3] == 0


def test_every_queued_item_is_truncated_one_not_yet_played_at_zero() -> None:
    # C2: C1 has played 500 of its 800 ms, C2 none of its 800.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "C1", 800, 1)
    stage.audio_done("r1", "C1")
    stage.audio("r1", "C2", 800, 2)
    stage.listen(500)
    stage.speak()
    assert stage.truncations == [("C1", 500), ("C2", 0)]


def test_marks_echoed_by_the_clear_do_not_count_for_the_next_item() -> None:
    # D: the clear makes the phone echo D1's marks; then D2 plays 500 ms.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "D1", 2_000, 1)
    stage.listen(200)
    stage.speak()
    assert len(stage.phone.echoes) > 1  # stale, delivered while D2 plays
    stage.done("r1", "cancelled")
    stage.fall_silent()
    stage.commit()
    stage.begin("r2")
    stage.audio("r2", "D2", 2_000, 2)
    stage.listen(500)
    stage.speak("u2")
    assert stage.truncations == [("D1", 200), ("D2", 500)]
    assert stage.phone.clears == 2


@pytest.mark.parametrize("lost", [False, True])
def test_the_error_stays_under_40_ms_whatever_the_order_of_marks_and_frames(lost: bool) -> None:
    stage = Stage()
    stage.marks_before_media = True
    stage.phone.loses_echoes = lost
    stage.begin("r1")
    stage.audio("r1", "A", 4_000, 1, deltas_of=300)
    stage.listen(1_700)
    heard_ms = stage.phone.heard[1] // 8
    stage.speak()
    [(item, truncated_ms)] = stage.truncations
    assert item == "A"
    assert abs(truncated_ms - heard_ms) <= 40


def test_before_the_first_delta_there_is_nothing_to_clear_or_cut() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.speak()
    assert stage.phone.clears == 0
    assert stage.truncations == []
    stage.audio("r1", "A", 400, 1)  # made before the server noticed him
    assert stage.phone.frames == []


def test_after_everything_was_heard_there_is_nothing_to_clear_or_cut() -> None:
    stage = Stage()
    stage.say("r1", "A", 800, 1)
    stage.listen(900)
    stage.speak()
    assert stage.phone.clears == 0
    assert stage.truncations == []
    assert stage.facts_of(TurnInterrupted) == []


def test_an_item_still_being_made_is_cut_even_if_all_that_came_was_heard() -> None:
    # The server may have made more of it than it has sent.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.listen(600)
    stage.speak()
    assert stage.truncations == [("A", 400)]


def test_the_clock_of_an_item_starts_when_the_phone_fell_dry_not_when_the_last_one_began() -> None:
    # A plays 0-400; the phone is silent 400-1,000; the next 800 ms start at 1,000, and 300 of them are heard.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.listen(1_000)
    stage.audio("r1", "A", 800, 1)
    stage.listen(300)
    stage.speak()
    assert stage.truncations == [("A", 700)]


def test_a_phone_that_starts_late_is_believed_not_the_clock() -> None:
    # The carrier holds the first sound back for 300 ms; its marks say so. At 1,000 ms 700 have been heard.
    stage = Stage()
    stage.phone.is_stuck = True
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 1)
    stage.listen(300)
    stage.phone.is_stuck = False
    stage.listen(700)
    stage.speak()
    assert stage.truncations == [("A", 700)]


def test_the_content_index_is_the_one_the_audio_came_with() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1, content_index=2)
    stage.listen(200)
    stage.speak()
    [frame] = stage.sent("conversation.item.truncate")
    assert (frame["content_index"], frame["audio_end_ms"]) == (2, 200)


def test_items_that_come_interleaved_are_each_cut_at_their_own_time() -> None:
    # Playing order: A 0-200, B 200-600, A 600-800. At 700 ms: A has 200 + 100, B all of its 400.
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 200, 1)
    stage.audio("r1", "B", 400, 2)
    stage.audio("r1", "A", 200, 1)
    stage.audio_done("r1", "B")
    stage.listen(700)
    stage.speak()
    assert stage.truncations == [("A", 300)]
    assert stage.phone.heard == {1: 300 * 8, 2: 400 * 8}


def test_the_server_cancels_its_own_response() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.speak()
    assert stage.sent("response.cancel") == []


def test_a_server_that_does_not_interrupt_itself_gets_a_cancel_before_the_cut() -> None:
    stage = Stage(interrupt_response=False)
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.listen(100)
    stage.speak()
    kinds = [frame["type"] for frame in stage.to_agent]
    assert kinds[-2:] == ["response.cancel", "conversation.item.truncate"]
    assert stage.sent("response.cancel") == [{"type": "response.cancel", "response_id": "r1"}]


def test_nothing_is_cancelled_when_the_response_is_over_and_only_its_sound_goes_on() -> None:
    stage = Stage(interrupt_response=False)
    stage.say("r1", "A", 2_000, 1)
    stage.listen(500)
    stage.speak()
    assert stage.sent("response.cancel") == []
    assert stage.truncations == [("A", 500)]


def test_an_agent_that_may_not_be_interrupted_goes_on() -> None:
    brief = briefing(turn_detection=TurnDetection(interrupts=False))
    stage = Stage(brief, interrupt_response=False)
    stage.say("r1", "A", 2_000, 1)
    stage.listen(500)
    stage.take_turn()
    stage.listen(1_000)
    assert stage.phone.heard[1] == 2_000 * 8
    assert stage.truncations == []


def test_a_response_made_while_the_caller_already_speaks_is_cancelled_and_not_played() -> None:
    stage = Stage()
    stage.speak()
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    assert stage.sent("response.cancel") == [{"type": "response.cancel", "response_id": "r1"}]
    assert stage.phone.frames == []


def test_an_interruption_is_recorded_with_what_was_heard_and_when() -> None:
    stage = Stage()
    stage.say("r1", "A", 2_000, 1)
    stage.listen(600)
    stage.speak()
    assert stage.facts_of(TurnInterrupted) == [TurnInterrupted(number=0, at_ms=600, heard_ms=600)]


def test_the_clear_leaves_before_anything_else_is_played() -> None:
    stage = Stage()
    stage.say("r1", "A", 2_000, 1)
    stage.listen(300)
    stage.speak()
    assert stage.phone.frames[-1] == {"event": "clear", "streamSid": "MZ1"}


def test_an_answer_after_an_interruption_is_heard_whole() -> None:
    stage = Stage()
    stage.say("r1", "A", 2_000, 1)
    stage.listen(300)
    stage.take_turn()
    stage.say("r2", "B", 1_000, 2)
    stage.listen(1_200)
    assert stage.phone.heard[2] == 8_000
    assert stage.truncations == [("A", 300)]


def test_an_unknown_mark_moves_nothing() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 1)
    stage.listen(100)
    for name in ("", "responsePart", "0.99", "9.1", "\u0000"):
        stage.call.caller_frame(json.dumps({"event": "mark", "mark": {"name": name}}))
    stage.speak()
    assert stage.truncations == [("A", 100)]
