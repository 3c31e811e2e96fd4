"""A caller who waits hears something within 5 s of any fault, and while an answer is slow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .stage import Stage, briefing


def quiet_ms(stage: Stage, ms: int, *, provider_lives: bool = False) -> int:
    """Let time pass, until the call is over: then Twilio speaks. Returns the longest silence that was heard, open
    ends included. `provider_lives`: it sends something that does not matter each second."""
    longest = silent = 0
    for _ in range(ms // 20):
        if stage.is_over():
            break
        if provider_lives and stage.ms % 1_000 == 0:
            stage.agent("rate_limits.updated", rate_limits=[])
        before = sum(stage.phone.heard.values())
        stage.listen(20)
        silent = silent + 20 if sum(stage.phone.heard.values()) == before else 0
        longest = max(longest, silent)
    return longest


def never_connected() -> Stage:
    return Stage(opened=False)


def opened_and_mute() -> Stage:
    stage = Stage(opened=False)
    stage.call.link_opened()
    return stage


def greeting_never_comes() -> Stage:
    return Stage(briefing(greeting="Hello!"))


def answer_never_comes() -> Stage:
    stage = Stage()
    stage.take_turn()
    return stage


def answer_begins_and_stops() -> Stage:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.audio("r1", "A", 700, 1)
    return stage


def answer_stops_within_a_frame() -> Stage:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.delta("r1", "A", b"\x01" * 5_637)
    return stage


def link_drops() -> Stage:
    stage = Stage()
    stage.take_turn()
    stage.lose_link()
    return stage


def tool_never_answers() -> Stage:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    return stage


@pytest.mark.parametrize(
    "fault",
    [
        never_connected,
        opened_and_mute,
        greeting_never_comes,
        answer_never_comes,
        answer_begins_and_stops,
        answer_stops_within_a_frame,
        link_drops,
        tool_never_answers,
    ],
)
def test_no_fault_leaves_five_seconds_of_silence(fault: Callable[[], Stage]) -> None:
    stage = fault()
    assert quiet_ms(stage, 20_000) < 5_000
    assert stage.phone.heard


def test_the_first_audio_is_waited_for_2500_ms_before_a_tone() -> None:
    stage = Stage()
    stage.take_turn()
    stage.listen(2_400)
    assert stage.phone.frames == []
    stage.listen(200)
    assert stage.happened[-1] == "tone_played"
    assert sum(stage.phone.media_bytes) == 400 * 8


def test_a_fast_answer_needs_no_tone() -> None:
    stage = Stage()
    stage.take_turn()
    stage.listen(1_000)
    stage.say("r1", "A", 8_000, 1)
    stage.listen(9_000)
    assert "tone_played" not in stage.happened


def test_a_lost_link_is_covered_by_a_tone_after_a_second() -> None:
    stage = Stage()
    stage.listen(1_000)
    stage.lose_link()
    stage.listen(900)
    assert stage.phone.frames == []
    stage.listen(200)
    assert stage.happened[-1] == "tone_played"


def test_no_tone_is_played_over_what_is_still_to_be_heard() -> None:
    stage = Stage()
    stage.say("r1", "A", 2_000, 1)
    stage.lose_link()
    stage.listen(1_900)
    assert "tone_played" not in stage.happened


def test_no_tone_is_played_over_the_caller() -> None:
    stage = Stage()
    stage.take_turn("u1")
    stage.speak("u2")
    stage.listen(5_000)
    assert "tone_played" not in stage.happened


def test_the_tone_stops_when_the_answer_comes() -> None:
    stage = Stage()
    stage.take_turn()
    stage.listen(3_000)
    stage.say("r1", "A", 400, 1)
    tones = stage.happened.count("tone_played")
    stage.listen(5_000)
    assert stage.happened.count("tone_played") == tones == 1
    assert stage.phone.heard[1] == 3_200


def test_a_tone_is_not_truncated_and_is_no_interruption() -> None:
    stage = Stage()
    stage.take_turn()
    stage.listen(2_600)
    stage.speak("u2")
    assert stage.phone.clears == 1
    assert stage.truncations == []
    assert stage.lines == []


def test_a_provider_that_says_nothing_for_8_s_while_a_response_is_due_is_left() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.listen(7_900)
    assert stage.links_closed == 0
    stage.listen(200)
    assert (stage.links_closed, stage.links_opened) == (1, 2)
    stage.open()
    assert stage.requested[-1] == "Hello!"


def test_any_event_shows_that_the_provider_lives() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.listen(5_000)
    stage.agent("rate_limits.updated")
    stage.listen(7_900)
    assert stage.links_closed == 0
    stage.listen(200)
    assert stage.links_closed == 1


def test_a_provider_of_whom_nothing_is_due_may_be_silent() -> None:
    stage = Stage()
    stage.listen(7_000)
    stage.speak()
    stage.listen(20_000)
    assert stage.links_closed == 0


def test_lost_echoes_stand_in_the_timeline() -> None:
    stage = Stage()
    stage.phone.loses_echoes = True
    stage.say("r1", "A", 400, 1)
    stage.listen(1_600)
    assert stage.happened.count("echoes_lost") == 1
