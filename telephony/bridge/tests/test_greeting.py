"""The greeting comes first, once, and cannot be interrupted if the agent protects it."""

from __future__ import annotations

from telephony.bridge.openai.session import SessionSettings

from .stage import Stage, briefing


def protected() -> Stage:
    return Stage(briefing(greeting="Welcome!", protects_greeting=True))


def detection(frame: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]) -> dict[str, object]:
    return frame["session"]["audio"]["input"]["turn_detection"]


def test_the_session_is_configured_before_the_greeting_is_requested() -> None:
    stage = Stage(briefing(greeting="Welcome!"), opened=False)
    stage.call.link_opened()
    stage.agent("session.created", session={})
    assert [frame["type"] for frame in stage.to_agent] == ["session.update"]
    stage.agent("session.updated", session={})
    assert stage.requested == ["Welcome!"]


def test_an_agent_without_greeting_waits_for_the_caller() -> None:
    assert Stage().requested == []


def test_quotation_marks_in_what_is_to_be_said_do_not_end_it() -> None:
    assert Stage(briefing(greeting='Welcome to "Luigi"!')).requested == ["Welcome to 'Luigi'!"]


def test_a_second_session_updated_does_not_greet_again() -> None:
    stage = Stage(briefing(greeting="Welcome!"))
    stage.agent("session.updated", session={})
    assert stage.requested == ["Welcome!"]


def test_a_greeting_can_be_interrupted() -> None:
    stage = Stage(briefing(greeting="Welcome!"))
    stage.begin("r1")
    stage.audio("r1", "G", 2_000, 1)
    stage.listen(400)
    stage.speak()
    assert stage.truncations == [("G", 400)]


def test_a_protected_greeting_is_heard_to_its_end() -> None:
    stage = protected()
    assert detection(stage.to_agent[0])["interrupt_response"] is False
    assert detection(stage.to_agent[0])["create_response"] is False
    stage.say("r1", "G", 2_000, 1)
    stage.listen(400)
    stage.take_turn()
    stage.listen(500)
    assert stage.phone.clears == 0
    assert stage.requested == ["Welcome!"]
    stage.listen(100)
    assert stage.phone.heard[1] == 16_000


def test_what_was_said_over_a_protected_greeting_is_answered_after_it() -> None:
    stage = protected()
    stage.say("r1", "G", 2_000, 1)
    stage.take_turn()
    stage.listen(1_020)
    listening = stage.sent("session.update")[1]
    assert detection(listening)["interrupt_response"] is True
    assert detection(listening)["create_response"] is True
    assert "output" not in listening["session"]["audio"]  # a voice cannot change once it was heard
    assert stage.requested == ["Welcome!", ""]


def test_a_key_pressed_over_a_protected_greeting_is_answered_after_it() -> None:
    stage = protected()
    stage.say("r1", "G", 1_000, 1)
    stage.press("5")
    assert stage.phone.clears == 0
    stage.listen(1_020)
    assert stage.requested == ["Welcome!", ""]


def test_after_a_protected_greeting_the_agent_can_be_interrupted() -> None:
    stage = protected()
    stage.say("r1", "G", 1_000, 1)
    stage.listen(1_020)
    stage.take_turn("u1")
    stage.begin("r2")
    stage.audio("r2", "A", 2_000, 2)
    stage.listen(500)
    stage.speak("u2")
    assert stage.truncations == [("A", 500)]
    assert stage.requested == ["Welcome!"]


def test_a_caller_still_speaking_when_the_protected_greeting_ends_is_answered_by_the_server() -> None:
    stage = protected()
    stage.say("r1", "G", 1_000, 1)
    stage.take_turn("u1", for_ms=200)
    stage.speak("u2")
    stage.listen(900)
    assert len(stage.sent("session.update")) == 2
    assert stage.requested == ["Welcome!"]


def test_a_session_without_turn_detection_has_nothing_to_guard() -> None:
    assert SessionSettings({"type": "realtime"}).guarded == {"type": "realtime"}
    assert SessionSettings({"type": "realtime"}).listening == {"type": "realtime", "audio": {"input": None}}
