"""A dialer's line that breaks and comes back: nothing counts as heard meanwhile, and the agent goes on where it was."""

from __future__ import annotations

from functools import partial

from sessions.calls.facts import TurnAnswered
from telephony.bridge.core.actions import Show
from telephony.bridge.phone_call import CUT_SHORT, PhoneCall

from .stage import Stage

AWAY_MS = 5_000


def speaking(ms: int = 4_000, *, heard_ms: int = 1_000) -> Stage:
    """An agent that has been heard for so long, on a line that breaks."""
    stage = Stage()
    stage.say("r1", "A", ms, 1, "One two three four five six seven eight.")
    stage.listen(heard_ms)
    stage.call.line_broke(silent_ms=0)
    stage.phone.is_stuck = True
    return stage


def back(stage: Stage, *, away_ms: int = AWAY_MS) -> None:
    stage.listen(away_ms, frames=False)
    stage.phone.is_stuck = False
    stage.call.line_is_back(away_ms=away_ms)


def test_the_agent_goes_on_where_it_was() -> None:
    stage = speaking()
    back(stage)
    assert stage.phone.waiting_ms <= 820, "no more was sent than the phone holds"
    stage.listen(3_200)
    assert stage.phone.heard[1] == 4_000 * 8
    assert stage.truncations == []
    assert [line.is_cut for line in stage.lines] == [False]
    assert "echoes_lost" not in stage.happened
    assert stage.happened.count("line_returned") == 1


def test_an_interruption_after_it_counts_what_was_heard() -> None:
    # 1,000 ms before the line broke and 500 ms since it is back.
    stage = speaking()
    back(stage)
    stage.listen(500)
    stage.speak()
    [(item, heard_ms)] = stage.truncations
    assert item == "A"
    assert abs(heard_ms - 1_500) <= 40
    assert stage.phone.heard[1] == 1_500 * 8


def test_one_at_once_counts_nothing_of_the_time_between() -> None:
    stage = speaking()
    back(stage)
    stage.speak()
    assert abs(stage.truncations[0][1] - 1_000) <= 40


def test_a_call_that_ends_meanwhile_keeps_what_was_heard() -> None:
    stage = speaking()
    stage.listen(AWAY_MS, frames=False)
    stage.call.caller_gone("silent socket")
    stage.flush()
    [line] = stage.lines
    assert (line.is_cut, line.text) == (True, "One two")


def test_what_is_said_meanwhile_is_heard_afterwards() -> None:
    stage = Stage()
    stage.listen(1_000)
    stage.call.line_broke(silent_ms=0)
    stage.say("r1", "A", 2_000, 1, "Are you there?")
    stage.phone.is_stuck = True
    back(stage)
    stage.listen(2_200)
    assert stage.phone.heard[1] == 2_000 * 8
    assert not stage.lines[0].is_cut


def test_a_caller_who_was_cut_short_is_asked_for_the_rest() -> None:
    stage = Stage()
    stage.listen(1_000)
    stage.speak()
    stage.listen(400)
    stage.call.line_broke(silent_ms=0)
    stage.listen(AWAY_MS, frames=False)
    stage.fall_silent()
    stage.commit()
    stage.call.line_is_back(away_ms=AWAY_MS)
    stage.say("r1", "A", 400, 1)
    stage.listen(1_000)
    assert CUT_SHORT in str(stage.sent("conversation.item.create"))


def test_a_pause_without_another_socket_is_no_event() -> None:
    stage = speaking()
    stage.listen(700, frames=False)
    stage.phone.is_stuck = False
    stage.call.line_is_back(away_ms=0)
    stage.listen(3_500)
    assert stage.phone.heard[1] == 4_000 * 8
    assert "line_returned" not in stage.happened
    assert not stage.facts_of(TurnAnswered)


def shown(stage: Stage) -> list[tuple[str, str]]:
    return [(act.line.speaker.value, act.line.text) for act in stage.actions if isinstance(act, Show)]


def test_lines_are_shown_as_they_grow_where_somebody_reads_along() -> None:
    stage = Stage(kind=partial(PhoneCall, shows_lines=True))  # type: ignore[arg-type]
    stage.listen(200)
    stage.speak()
    for delta in ("Two ", "funghi"):
        stage.agent("conversation.item.input_audio_transcription.delta", item_id="u1", content_index=0, delta=delta)
    stage.fall_silent()
    stage.commit()
    stage.transcribe("u1", "Two funghi.")
    stage.agent("conversation.item.input_audio_transcription.delta", item_id="u1", content_index=0, delta="late")
    stage.say("r1", "A", 800, 1, "Two funghi, then.")
    assert shown(stage) == [("caller", ""), ("caller", "Two"), ("caller", "Two funghi"), ("agent", "Two funghi, then.")]
    assert [line.text for line in stage.lines] == ["Two funghi.", "Two funghi, then."]


def test_a_carriers_call_shows_none() -> None:
    stage = Stage()
    stage.speak()
    stage.agent("conversation.item.input_audio_transcription.delta", item_id="u1", content_index=0, delta="Two")
    stage.say("r1", "A", 800, 1, "Two funghi, then.")
    assert shown(stage) == []
