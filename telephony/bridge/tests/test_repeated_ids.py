"""A provider may repeat ids, in a later response or session or for the caller. Nothing is lost or mixed up."""

from __future__ import annotations

import json

import pytest

from sessions.calls.short_ids import short_id
from telephony.bridge.openai.item_names import LONGEST_ID, OurIds

from .stage import Stage, briefing


def call_outputs(stage: Stage) -> list[tuple[str, str]]:
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    return [(item["call_id"], item["output"]) for item in items if item["type"] == "function_call_output"]


def answer_last(stage: Stage, output: str) -> None:
    stage.answer_tool(stage.tools[-1].tool_call_id, output)


# Tool calls


def test_a_call_id_that_comes_again_in_a_later_response_is_another_call() -> None:
    stage = Stage()
    for number in range(1, 4):
        stage.begin(f"r{number}")
        stage.request_tool(f"r{number}", "call_1", arguments=json.dumps({"n": number}))
        stage.done(f"r{number}")
        answer_last(stage, f"output {number}")
    assert [tool.arguments for tool in stage.tools] == ['{"n": 1}', '{"n": 2}', '{"n": 3}']
    assert len({tool.tool_call_id for tool in stage.tools}) == 3
    assert call_outputs(stage) == [("call_1", "output 1"), ("call_1", "output 2"), ("call_1", "output 3")]


def test_a_call_id_that_comes_again_while_the_first_still_runs_is_another_call() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "call_1")
    stage.done("r1")
    stage.take_turn("u1")
    stage.begin("r2")
    stage.request_tool("r2", "call_1")
    stage.done("r2")
    stage.answer_tool(stage.tools[0].tool_call_id, "first")
    stage.answer_tool(stage.tools[1].tool_call_id, "second")
    assert call_outputs(stage) == [("call_1", "first"), ("call_1", "second")]


def test_each_of_the_responses_with_the_same_call_ids_is_answered_by_one_response() -> None:
    stage = Stage()
    for number in (1, 2):
        stage.begin(f"r{number}")
        stage.request_tool(f"r{number}", "0")
        stage.done(f"r{number}")
        answer_last(stage, "{}")
        assert stage.requested == [""] * number


def test_a_response_id_that_is_used_again_is_another_response() -> None:
    stage = Stage()
    for number in (1, 2):
        stage.begin("resp")
        stage.request_tool("resp", "call", arguments=json.dumps({"n": number}))
        stage.done("resp")
        answer_last(stage, "{}")
    assert [tool.arguments for tool in stage.tools] == ['{"n": 1}', '{"n": 2}']
    assert stage.requested == ["", ""]


def test_a_repeat_within_a_response_is_dropped_also_after_its_end() -> None:
    stage = Stage()
    call = {"type": "function_call", "status": "completed", "call_id": "c1", "name": "change_order", "arguments": "{}"}
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.request_tool("r1", "c1")
    stage.done("r1", output=[call, call])
    stage.request_tool("r1", "c1")
    stage.done("r1", output=[call])
    assert len(stage.tools) == 1


def test_the_end_of_a_response_that_is_reported_twice_counts_once() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.fail("r1")
    stage.fail("r1")
    assert stage.requested == [""]
    assert stage.happened.count("response_failed") == 1


def test_a_call_whose_event_names_no_response_belongs_to_the_one_being_made() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("", "c1")
    stage.done("r1")
    answer_last(stage, "{}")
    assert stage.requested == [""]


def test_a_new_session_may_count_its_call_ids_from_the_beginning() -> None:
    stage = Stage()
    stage.begin("resp_1")
    stage.request_tool("resp_1", "call_1", arguments='{"n": 1}')
    stage.done("resp_1")
    answer_last(stage, "before")
    stage.lose_link()
    stage.open()
    stage.begin("resp_1")
    stage.request_tool("resp_1", "call_1", arguments='{"n": 2}')
    stage.done("resp_1")
    answer_last(stage, "after")
    assert [tool.arguments for tool in stage.tools] == ['{"n": 1}', '{"n": 2}']
    assert call_outputs(stage)[-1] == ("call_1", "after")


def test_a_call_of_the_new_session_is_not_taken_for_one_that_still_runs() -> None:
    stage = Stage()
    stage.begin("resp_1")
    stage.request_tool("resp_1", "call_1", arguments='{"n": 1}')
    stage.done("resp_1")
    stage.lose_link()
    stage.open()
    stage.to_agent.clear()
    stage.begin("resp_1")
    stage.request_tool("resp_1", "call_1", arguments='{"n": 2}')
    stage.done("resp_1")
    stage.answer_tool(stage.tools[0].tool_call_id, "old")
    stage.answer_tool(stage.tools[1].tool_call_id, "new")
    assert [tool.arguments for tool in stage.tools] == ['{"n": 1}', '{"n": 2}']
    assert [output for _, output in call_outputs(stage)] == ["old", "new"]


def test_replayed_calls_have_ids_that_no_other_has() -> None:
    stage = Stage()
    for number in range(1, 4):
        stage.begin(f"r{number}")
        stage.request_tool(f"r{number}", "call_1")
        stage.done(f"r{number}")
        answer_last(stage, f"output {number}")
    stage.to_agent.clear()
    stage.lose_link()
    stage.open()
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    requested = [item["call_id"] for item in items if item["type"] == "function_call"]
    assert len(set(requested)) == 3
    assert call_outputs(stage) == [(call_id, f"output {number}") for number, call_id in enumerate(requested, 1)]


# What is spoken


def test_an_item_id_that_comes_again_in_a_later_response_is_another_line() -> None:
    stage = Stage()
    for number, words in enumerate(("One pizza.", "Two pizzas.", "Three."), 1):
        stage.begin(f"r{number}")
        stage.audio(f"r{number}", "item_1", 200, number)
        stage.agent(
            "response.output_audio_transcript.done", response_id=f"r{number}", item_id="item_1", transcript=words
        )
        stage.audio_done(f"r{number}", "item_1")
        stage.done(f"r{number}")
        stage.listen(400)
    assert [line.text for line in stage.lines] == ["One pizza.", "Two pizzas.", "Three."]
    assert [stage.phone.heard[byte] for byte in (1, 2, 3)] == [1_600] * 3


def test_an_interrupted_item_does_not_silence_a_later_one_of_its_id() -> None:
    stage = Stage()
    stage.say("r1", "item_1", 2_000, 1, "A very long story of a pizza")
    stage.listen(500)
    stage.take_turn("u1")
    stage.begin("r2")
    stage.audio("r2", "item_1", 400, 2)
    stage.agent("response.output_audio_transcript.done", response_id="r2", item_id="item_1", transcript="Yes?")
    stage.audio_done("r2", "item_1")
    stage.done("r2")
    stage.listen(600)
    assert stage.phone.heard[2] == 3_200
    assert stage.lines[-1].text == "Yes?"
    assert stage.lines[0].is_cut


def test_late_audio_of_an_earlier_response_is_not_played_as_a_later_ones_item() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "item_1", 1_000, 1)
    stage.done("r1", "cancelled")
    stage.begin("r2")
    stage.audio("r2", "item_1", 200, 2)
    stage.audio("r1", "item_1", 400, 3)
    stage.listen(2_000)
    assert (stage.phone.heard[2], stage.phone.heard[3]) == (1_600, 0)


def test_item_ids_that_begin_anew_after_a_reconnect_name_new_lines() -> None:
    stage = Stage(briefing(greeting="Hello!"))
    stage.say("r1", "item_1", 400, 1, "Hello!")
    stage.listen(600)
    stage.take_turn("item_2", "One Margherita.")
    stage.lose_link()
    stage.open()
    stage.say("r1", "item_1", 400, 2, "With pleasure.")
    stage.listen(600)
    stage.take_turn("item_2", "And a beer.")
    assert [line.text for line in stage.lines] == ["Hello!", "One Margherita.", "With pleasure.", "And a beer."]
    assert len({line.item_id for line in stage.lines}) == 4


def test_turns_with_one_id_are_different_turns() -> None:
    stage = Stage()
    for words in ("One.", "Two.", "Three."):
        stage.take_turn("item", words)
    assert [(line.text, line.turn) for line in stage.lines] == [("One.", 1), ("Two.", 2), ("Three.", 3)]


def test_late_transcripts_of_turns_with_one_id_go_to_their_turns_in_order() -> None:
    stage = Stage()
    stage.take_turn("item")
    stage.take_turn("item")
    stage.transcribe("item", "First.")
    stage.transcribe("item", "Second.")
    assert [(line.text, line.turn) for line in stage.lines] == [("First.", 1), ("Second.", 2)]


def test_an_id_that_both_sides_use_names_two_lines() -> None:
    stage = Stage()
    stage.take_turn("item_1", "A pizza.")
    stage.begin("r1")
    stage.audio("r1", "item_1", 200, 1)
    stage.agent("response.output_audio_transcript.done", response_id="r1", item_id="item_1", transcript="Which one?")
    stage.done("r1")
    assert [(line.speaker, line.text) for line in stage.lines] == [("caller", "A pizza."), ("agent", "Which one?")]


def test_events_with_one_event_id_are_all_read() -> None:
    stage = Stage()  # every event of the stage's has the same one
    stage.say("r1", "A", 200, 1, "One.")
    stage.say("r2", "B", 200, 2, "Two.")
    assert [line.text for line in stage.lines] == ["One.", "Two."]


# Ours


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x" * 200, "x" * 201),
        ("a\0", "a "),
        ("a\ud800", "a\ud801"),
        ("call" + "1" * 80, "call" + "1" * 79 + "2"),
        ("", " "),
    ],
)
def test_different_ids_stay_different_when_they_are_shortened(one: str, other: str) -> None:
    shortened = [short_id(each, longest=LONGEST_ID) for each in (one, other)]
    assert shortened[0] != shortened[1]
    assert all(len(each) <= LONGEST_ID and each.isprintable() for each in shortened)


def test_minted_ids_never_repeat_even_where_the_provider_imitates_ours() -> None:
    ids = OurIds()
    minted = [ids.mint(theirs) for theirs in ("call", "call", "call~2", "call", "call~2", "", "")]
    assert len(set(minted)) == len(minted)
    assert minted[0] == "call"
