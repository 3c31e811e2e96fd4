"""Keys reach the agent as text and count as a turn of the caller's."""

from __future__ import annotations

import pytest

from telephony.bridge.core.actions import DeclineRecording

from .stage import Stage, briefing


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("5", "[The caller pressed 5]"),
        ("0", "[The caller pressed 0 and asks for a person]"),
        ("#", "[The caller pressed #]"),
    ],
)
def test_a_key_reaches_the_agent_which_then_answers(key: str, text: str) -> None:
    stage = Stage()
    stage.press(key)
    [frame] = stage.sent("conversation.item.create")
    assert frame["item"]["role"] == "user"
    assert frame["item"]["content"] == [{"type": "input_text", "text": text}]
    assert stage.requested == [""]


def test_a_key_interrupts_and_cancels_since_the_server_does_not_know_of_it() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 1)
    stage.listen(300)
    stage.press("1")
    assert stage.sent("response.cancel") == [{"type": "response.cancel", "response_id": "r1"}]
    assert stage.truncations == [("A", 300)]
    assert stage.requested == []
    stage.done("r1", "cancelled")
    assert stage.requested == [""]


def test_several_keys_are_answered_together() -> None:
    stage = Stage()
    stage.begin("r1")
    for key in "123":
        stage.press(key)
    stage.done("r1", "cancelled")
    assert len(stage.sent("conversation.item.create")) == 3
    assert stage.requested == [""]


def test_a_key_counts_as_a_turn_for_the_tools() -> None:
    stage = Stage()
    stage.press("1")
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    assert stage.tools[0].caller_turns == 1


def test_a_key_stands_in_the_transcript() -> None:
    stage = Stage()
    stage.listen(500)
    stage.press("7")
    assert [(line.text, line.spoken_at_ms, line.turn) for line in stage.lines] == [("[The caller pressed 7]", 500, 1)]


def test_a_key_pressed_before_the_agent_is_there_is_answered_then() -> None:
    stage = Stage()
    stage.lose_link()
    stage.press("5")
    stage.open()
    [frame] = stage.sent("conversation.item.create")
    assert frame["item"]["content"][0]["text"] == "[The caller pressed 5]"
    assert stage.requested == [""]


def test_the_key_about_the_recording_is_no_turn_and_interrupts_nothing() -> None:
    stage = Stage(briefing(stop_key="9"))
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 1)
    stage.listen(300)
    stage.press("9")
    assert stage.actions.count(DeclineRecording()) == 1
    assert (stage.lines, stage.sent("response.cancel"), stage.sent("conversation.item.create")) == ([], [], [])
    stage.press("8")
    assert [line.text for line in stage.lines if line.text.startswith("[")] == ["[The caller pressed 8]"]
    assert stage.actions.count(DeclineRecording()) == 1
