"""A greeting that is kept as audio plays at once, while the link opens; the model then learns that it was said."""

from __future__ import annotations

import json

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import LineSpoken, Speaker, TurnAnswered, TurnInterrupted
from telephony.bridge.core.actions import CloseCall, FallBack, HangUp

from .stage import Stage, briefing

TEXT = "Welcome to the Golden Fork, how can I help?"
KEPT = 7  # the byte of which the kept audio is made


def kept(ms: int = 2_000, *, opened: bool = False, **changes: object) -> Stage:
    return Stage(briefing(TEXT, greeting_audio=bytes([KEPT]) * (ms * 8), **changes), opened=opened)


def remembered(stage: Stage) -> list[tuple[str, str]]:
    """The conversation as the session has it: what it was given, in its order, without what was deleted."""
    items: list[tuple[str, str, str]] = []
    for frame in stage.to_agent:
        if frame["type"] == "conversation.item.delete":
            assert any(item[0] == frame["item_id"] for item in items)
            items = [item for item in items if item[0] != frame["item_id"]]
        elif frame["type"] == "conversation.item.create":
            item = frame["item"]
            said = item["content"][0]["text"] if item["type"] == "message" else item["type"]
            before = frame.get("previous_item_id")
            ids = [item_id for item_id, *_ in items]
            at = len(items) if before is None else 0 if before == "root" else ids.index(before) + 1
            items.insert(at, (item["id"], item.get("role", ""), said))
    return [(role, said) for _, role, said in items]


def detection(frame: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]) -> dict[str, object]:
    return frame["session"]["audio"]["input"]["turn_detection"]


def test_it_plays_before_there_is_a_link() -> None:
    stage = kept()
    assert stage.phone.media_bytes[0] == 160
    assert sum(stage.phone.media_bytes) == 800 * 8
    assert stage.to_agent == []
    stage.listen(2_000)
    assert stage.phone.heard[KEPT] == 16_000
    assert "greeting_played" in stage.happened


def test_its_first_frame_has_a_mark_of_its_own() -> None:
    kinds = [frame["event"] for frame in kept().phone.frames[:3]]
    assert kinds == ["media", "mark", "media"]


def test_the_model_gets_the_greeting_as_said_and_no_request_to_greet() -> None:
    stage = kept()
    stage.listen(600)
    stage.open()
    assert remembered(stage) == [("assistant", TEXT)]
    assert stage.requested == []
    stage.listen(3_000)
    assert remembered(stage) == [("assistant", TEXT)]
    assert stage.requested == []


def test_its_line_in_the_transcript_is_the_first_and_whole() -> None:
    stage = kept()
    stage.listen(600)
    stage.open()
    stage.listen(2_000)
    stage.take_turn("u1", "A pizza.")
    (first, second) = stage.lines
    assert first == LineSpoken("greeting", Speaker.AGENT, TEXT, 0, 0)
    assert second.text == "A pizza."


def test_an_interruption_cuts_it_where_it_was_heard_everywhere() -> None:
    stage = kept()
    stage.listen(600)
    stage.open()
    stage.listen(400)
    stage.speak()
    assert stage.phone.clears == 1
    assert stage.phone.heard[KEPT] == 8_000
    assert stage.truncations == []  # only what the model spoke can be truncated
    heard = "Welcome to the Golden"  # half of its letters, back to a word
    assert remembered(stage) == [("assistant", heard)]
    assert stage.lines[0] == LineSpoken("greeting", Speaker.AGENT, heard, 0, 0, is_cut=True)
    assert stage.facts_of(TurnInterrupted) == [TurnInterrupted(0, 1_000, 1_000)]
    stage.listen(1_000)
    assert stage.phone.heard[KEPT] == 8_000


def test_an_interruption_before_its_first_word_was_heard_takes_it_back() -> None:
    stage = kept()
    stage.open()
    stage.listen(100)
    stage.speak()
    assert remembered(stage) == []
    assert stage.requested == []


def test_speech_after_it_was_heard_changes_nothing() -> None:
    stage = kept()
    stage.open()
    stage.listen(2_100)
    stage.take_turn()
    assert stage.phone.clears == 0
    assert remembered(stage) == [("assistant", TEXT)]
    assert not stage.lines[0].is_cut


def test_what_the_caller_says_meanwhile_is_heard_by_the_session_after_the_greeting() -> None:
    stage = kept()
    stage.listen(600)
    stage.call.link_opened()
    stage.call.agent_frame('{"type":"session.created"}')
    stage.call.to_agent.clear()
    stage.call.agent_frame('{"type":"session.updated"}')
    kinds = [json.loads(text)["type"] for text in stage.call.to_agent]
    assert kinds[0] == "conversation.item.create"
    assert kinds[1:] == ["input_audio_buffer.append"] * 30


def test_a_key_before_the_session_is_answered_by_it() -> None:
    stage = kept()
    stage.listen(1_000)
    stage.press("0")
    assert stage.phone.clears == 1
    stage.listen(200)
    stage.open()
    key = "[The caller pressed 0 and asks for a person]"
    assert remembered(stage) == [("assistant", "Welcome to the Golden"), ("user", key)]
    assert stage.requested == [""]


def test_a_key_before_its_first_word_does_not_bring_it_again() -> None:
    stage = kept()
    stage.press("5")
    stage.open()
    assert remembered(stage) == [("user", "[The caller pressed 5]")]
    assert stage.requested == [""]


def test_protected_it_is_heard_to_its_end_and_speech_over_it_is_answered_then() -> None:
    stage = kept(protects_greeting=True)
    stage.listen(600)
    stage.open()
    assert detection(stage.to_agent[0])["interrupt_response"] is False
    stage.take_turn()
    assert stage.phone.clears == 0
    assert stage.requested == []
    stage.listen(420)
    assert stage.phone.heard[KEPT] == 16_000
    assert detection(stage.sent("session.update")[1])["interrupt_response"] is True
    assert remembered(stage) == [("assistant", TEXT)]
    assert stage.requested == [""]


def test_protected_and_heard_before_the_link_it_needs_no_guarded_session() -> None:
    stage = kept(500, protects_greeting=True)
    stage.listen(1_000)
    stage.open()
    (update,) = stage.sent("session.update")
    assert detection(update)["create_response"] is True
    stage.take_turn()
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 2)
    stage.listen(300)
    stage.speak("u2")
    assert stage.truncations == [("A", 300)]


def test_protected_and_heard_while_the_session_is_configured_the_session_is_changed() -> None:
    stage = kept(500, protects_greeting=True)
    stage.call.link_opened()
    stage.agent("session.created", session={})
    stage.listen(600)
    guarded, listening = stage.sent("session.update")
    assert detection(guarded)["create_response"] is False
    assert detection(listening)["create_response"] is True
    stage.agent("session.updated", session={})
    stage.agent("session.updated", session={})
    stage.listen(4_000)
    assert "session_update_unconfirmed" not in stage.happened


def test_a_key_over_a_protected_one_is_answered_after_it_by_a_late_session() -> None:
    stage = kept(500, protects_greeting=True)
    stage.press("5")
    stage.listen(600)
    assert stage.phone.heard[KEPT] == 4_000
    stage.open()
    assert remembered(stage) == [("assistant", TEXT), ("user", "[The caller pressed 5]")]
    assert stage.requested == [""]


def test_a_link_lost_meanwhile_does_not_stop_it() -> None:
    stage = kept()
    stage.open()
    stage.listen(500)
    stage.lose_link()
    stage.listen(1_500)
    assert stage.phone.heard[KEPT] == 16_000
    assert "tone_played" not in stage.happened
    stage.to_agent.clear()
    stage.open()
    assert remembered(stage) == [("assistant", TEXT)]
    assert stage.requested == []


def test_an_interruption_in_the_second_session_cuts_it_there() -> None:
    stage = kept()
    stage.open()
    stage.listen(500)
    stage.lose_link()
    stage.to_agent.clear()
    stage.open()
    stage.listen(500)
    stage.speak()
    assert remembered(stage) == [("assistant", "Welcome to the Golden")]


def test_a_provider_that_cannot_be_reached_leaves_what_was_heard_of_it() -> None:
    stage = kept()
    stage.lose_link(401, "HTTP 401", is_fatal=True)
    assert stage.ending() == CloseCall(EndReason.PROVIDER_REFUSED, FallBack())
    stage = kept()
    stage.listen(1_000)
    stage.lose_link(401, "HTTP 401", is_fatal=True)
    assert stage.lines == [LineSpoken("greeting", Speaker.AGENT, "Welcome to the Golden", 0, 0, is_cut=True)]


def test_hanging_up_meanwhile_leaves_what_was_heard_of_it() -> None:
    stage = kept()
    stage.listen(1_000)
    stage.call.caller_frame('{"event":"stop"}')
    stage.flush()
    assert stage.ending() == CloseCall(EndReason.CALLER_HUNG_UP, HangUp())
    assert stage.lines == [LineSpoken("greeting", Speaker.AGENT, "Welcome to the Golden", 0, 0, is_cut=True)]


def test_the_callers_silence_counts_from_its_end() -> None:
    stage = kept()
    stage.open()
    stage.listen(9_800)
    assert stage.requested == []
    stage.listen(200)
    assert stage.requested == [stage.brief.phrases.reprompt]


def test_the_callers_silence_does_not_count_before_the_session() -> None:
    stage = kept(500)
    stage.listen(2_000)
    stage.open()
    stage.listen(7_900)
    assert stage.requested == []
    stage.listen(200)
    assert stage.requested == [stage.brief.phrases.reprompt]


def test_a_tone_follows_it_when_the_session_is_late() -> None:
    stage = kept(1_000)
    stage.listen(2_400)
    assert "tone_played" not in stage.happened
    stage.listen(600)
    assert "tone_played" in stage.happened


def test_a_long_one_has_no_tone_over_it() -> None:
    stage = kept(4_000)
    stage.listen(4_000)
    assert "tone_played" not in stage.happened


def test_the_first_turn_is_measured_as_without_it() -> None:
    stage = kept()
    stage.open()
    stage.listen(2_100)
    assert stage.facts_of(TurnAnswered) == []
    stage.take_turn()
    stage.listen(200)
    stage.say("r1", "A", 1_000, 2)
    stage.listen(400)
    (turn,) = stage.facts_of(TurnAnswered)
    assert (turn.number, turn.model_ms, turn.playout_ms) == (1, 200, 20)


def test_lines_replayed_to_a_second_session_are_cut_in_their_place() -> None:
    """Whichever session spoke what the caller interrupts now: the model remembers it in its place."""
    stage = Stage(briefing("Hello!"))
    stage.say("r1", "G", 500, 1, "Hello!")
    stage.listen(600)
    stage.take_turn("u1", "A pizza.")
    stage.begin("r2")
    stage.text("A", "We have pizza and pasta and salad today")
    stage.audio("r2", "A", 2_000, 2)
    stage.request_tool("r2", "c1", "get_opening_hours")
    stage.answer_tool("c1", '{"ok": true}')
    stage.listen(200)
    stage.lose_link()
    stage.to_agent.clear()
    stage.open()
    stage.listen(800)
    stage.speak("u2")
    assert stage.truncations == []
    assert remembered(stage) == [
        ("assistant", "Hello!"),
        ("user", "A pizza."),
        ("assistant", "We have pizza and"),
        ("", "function_call"),
        ("", "function_call_output"),
    ]
