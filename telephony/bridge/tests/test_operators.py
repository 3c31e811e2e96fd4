"""What an operator does with a live call: listens in, whispers to the agent, hands the caller over."""

from __future__ import annotations

from sessions.calls.end_reasons import EndReason
from telephony.bridge.core.actions import HandOver
from telephony.bridge.core.ulaw import SILENCE

from .stage import Stage

HINT = "[Hint for you from a colleague: Offer the lemon cake. The caller has not heard it. Do not mention it.]"
CALLER, AGENT = b"\x21", b"\x42"


def hints(stage: Stage) -> list[tuple[str, str]]:
    """Role and text of the messages that the agent was given."""
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    return [(item["role"], item["content"][0]["text"]) for item in items]


def test_the_agent_has_a_hint_at_once_and_says_nothing() -> None:
    stage = Stage()
    stage.say("r1", "A", 1_000, 1)
    stage.call.hint("Offer the lemon cake.")
    stage.flush()
    assert hints(stage) == [("system", HINT)]
    stage.listen(2_000)
    assert stage.requested == []
    assert stage.phone.heard[1] == 8_000  # nothing was interrupted


def test_a_hint_outlives_the_link() -> None:
    stage = Stage(opened=False)
    stage.call.hint("Offer the lemon cake.")
    stage.flush()
    assert hints(stage) == []
    stage.open()
    stage.lose_link()
    stage.open()
    assert hints(stage) == [("system", HINT), ("system", HINT)]


def test_a_caller_who_is_handed_over_hears_so_first() -> None:
    stage = Stage()
    stage.say("r1", "A", 5_000, 1)
    stage.listen(500)
    for _ in range(2):  # a second click changes nothing
        stage.call.hand_over("front-desk", say="I will put you through.")
        stage.flush()
    assert stage.requested == ["I will put you through."]
    stage.say("r2", "B", 600, 2)
    assert stage.ending() is None
    stage.listen(1_000)
    ending = stage.ending()
    assert ending is not None
    assert (ending.reason, ending.follow_up) == (EndReason.TRANSFERRED, HandOver("front-desk"))
    assert stage.phone.heard[1] < 800 * 8  # the agent stopped
    assert stage.phone.heard[2] == 600 * 8


def test_both_voices_are_heard_when_they_are_spoken() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 400, AGENT[0])  # sent ahead, before anybody listens
    earpiece = stage.call.begin_listening()
    assert earpiece.take(stage.ms) is None
    stage.audio("r1", "A", 400, AGENT[0])
    stage.frame(0, CALLER * 160)
    stage.ms += 20
    assert earpiece.take(stage.ms) == (CALLER * 160, SILENCE * 160)
    assert earpiece.take(stage.ms + 380) == (SILENCE * 3040, SILENCE * 3040)
    assert earpiece.take(stage.ms + 480) == (SILENCE * 800, AGENT * 800)
    stage.call.hand_over("front-desk", say="")  # clears what the phone has not played
    stage.flush()
    assert earpiece.take(stage.ms + 580) == (SILENCE * 800, SILENCE * 800)


def test_when_nobody_listens_any_more_no_frame_passes_the_earpiece() -> None:
    stage = Stage()
    first = stage.call._hear, stage.call._phone.line
    earpiece = stage.call.begin_listening()
    assert (stage.call._hear, stage.call._phone.line) == (earpiece.hear, earpiece)
    stage.frame(0, CALLER * 160)
    stage.flush()
    assert CALLER in stage.caller_audio  # the agent hears as before
    stage.call.end_listening()
    assert (stage.call._hear, stage.call._phone.line) == first


def test_a_caller_whose_frames_were_held_up_is_not_heard_ever_later() -> None:
    stage = Stage()
    earpiece = stage.call.begin_listening()
    earpiece.take(0)
    for number in range(100):
        stage.frame(number * 20, CALLER * 160)
    earpiece.take(100)
    assert len(earpiece._caller_waiting) == 200 * 8
