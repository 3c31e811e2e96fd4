"""What becomes known outside the tools is told to the agent as soon as nobody speaks."""

from __future__ import annotations

from .stage import Stage

NOTE = "The text message did not reach your phone."
TYPED = f"[Note for you: {NOTE} Tell the caller.]"


def leave(stage: Stage, text: str = NOTE) -> None:
    stage.call.note(text)
    stage.flush()


def typed(stage: Stage) -> list[str]:
    return [frame["item"]["content"][0]["text"] for frame in stage.sent("conversation.item.create")]


def test_while_nobody_speaks_a_note_is_told_at_once() -> None:
    stage = Stage()
    leave(stage)
    assert typed(stage) == [TYPED]
    assert stage.requested == [""]
    assert stage.happened[-1] == "note_given"


def test_a_note_waits_until_the_agent_was_heard() -> None:
    stage = Stage()
    stage.say("r1", "A", 1_000, 1)
    leave(stage)
    stage.listen(500)
    assert typed(stage) == []
    stage.listen(1_000)
    assert typed(stage) == [TYPED]
    assert stage.phone.heard[1] == 8_000  # nothing was interrupted


def test_a_note_waits_until_the_caller_was_answered() -> None:
    stage = Stage()
    stage.speak()
    leave(stage)
    stage.listen(1_000)
    stage.fall_silent()
    stage.commit()
    assert typed(stage) == []
    stage.say("r1", "A", 400, 1)
    stage.listen(1_000)
    assert typed(stage) == [TYPED]


def test_a_note_waits_for_a_running_tool() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    leave(stage)
    stage.listen(300)
    assert typed(stage) == []


def test_two_notes_are_told_together() -> None:
    stage = Stage()
    stage.say("r1", "A", 400, 1)
    leave(stage, "One.")
    leave(stage, "Two.")
    stage.listen(1_000)
    assert len(typed(stage)) == 2
    assert stage.requested == [""]


def test_after_the_call_a_note_is_nothing() -> None:
    stage = Stage()
    stage.call.caller_gone("hung up")
    leave(stage)
    assert typed(stage) == []
