"""Tools run once, their outputs get one response, and the caller is never left in silence."""

from __future__ import annotations

import json

from telephony.bridge.core.actions import RunTool

from .stage import Stage, briefing

FILLER = briefing().phrases.filler


def test_a_completed_call_is_run_with_the_turns_so_far() -> None:
    stage = Stage()
    stage.take_turn("u1")
    stage.begin("r1")
    stage.request_tool("r1", "c1", "look_up_items", arguments='{"query": "pizza"}')
    assert stage.tools == [RunTool("c1", "look_up_items", '{"query": "pizza"}', caller_turns=1)]


def test_a_call_that_was_interrupted_in_its_arguments_is_not_run() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1", status="incomplete", arguments='{"que')
    stage.request_tool("r1", "c2", status=None)
    stage.request_tool("r1", "", status="completed")
    stage.done("r1", "cancelled", output=[{"type": "function_call", "status": "incomplete", "call_id": "c1"}])
    assert stage.tools == []


def test_a_completed_call_of_an_interrupted_response_is_run_and_answered_after_the_caller() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.speak("u1")
    stage.done("r1", "cancelled")
    stage.answer_tool("c1")
    assert stage.requested == []
    stage.fall_silent("u1")  # but it was no turn
    stage.listen(4_100)
    assert stage.requested == [""]


def test_a_call_is_run_once_however_often_it_is_announced() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.request_tool("r1", "c1")
    call = {"type": "function_call", "status": "completed", "call_id": "c1", "name": "change_order", "arguments": "{}"}
    stage.done("r1", output=[call, {**call, "call_id": "c2"}])
    stage.answer_tool("c1")
    assert [tool.tool_call_id for tool in stage.tools] == ["c1", "c2"]  # c2 was announced only here


def test_a_call_without_arguments_has_empty_ones() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1", arguments=None)
    assert stage.tools[0].arguments == "{}"


def test_the_outputs_of_one_response_are_followed_by_one_response() -> None:
    stage = Stage()
    stage.begin("r1")
    for call in ("c1", "c2", "c3"):
        stage.request_tool("r1", call, "look_up_items")
    stage.done("r1")
    stage.answer_tool("c3", '{"n": 3}')
    stage.answer_tool("c1", '{"n": 1}')
    assert stage.requested == []
    stage.answer_tool("c2", '{"n": 2}')
    assert stage.requested == [""]
    outputs = [frame["item"] for frame in stage.sent("conversation.item.create")]
    assert [(item["type"], item["call_id"], json.loads(item["output"])["n"]) for item in outputs] == [
        ("function_call_output", "c3", 3),
        ("function_call_output", "c1", 1),
        ("function_call_output", "c2", 2),
    ]


def test_a_batch_is_not_complete_before_its_response_is() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.answer_tool("c1")
    stage.request_tool("r1", "c2")
    stage.done("r1")
    assert stage.requested == []
    stage.answer_tool("c2")
    assert stage.requested == [""]


def test_two_batches_do_not_mix() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1", "look_up_items")
    stage.done("r1")
    stage.take_turn("u1")
    stage.begin("r2")
    stage.request_tool("r2", "c2", "look_up_items")
    stage.done("r2")
    stage.answer_tool("c2")
    assert stage.requested == [""]  # the second batch is complete, the first still runs


def test_an_output_of_an_unknown_tool_call_or_a_second_one_is_ignored() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.answer_tool("c9")
    stage.answer_tool("c1")
    stage.answer_tool("c1")
    assert len(stage.sent("conversation.item.create")) == 1


def test_a_slow_tool_is_covered_by_a_filler_after_1500_ms() -> None:
    stage = Stage()
    stage.take_turn()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.listen(1_400)
    assert stage.requested == []
    stage.listen(200)
    assert stage.requested == [FILLER]
    stage.say("r2", "F", 800, 1)
    stage.answer_tool("c1")
    assert stage.requested == [FILLER, ""]


def test_a_filler_has_no_tools_of_its_own() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.listen(1_600)
    assert stage.sent("response.create")[0]["response"]["tool_choice"] == "none"


def test_a_fast_tool_needs_no_filler() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.listen(1_000)
    stage.answer_tool("c1")
    stage.begin("r2")
    stage.listen(1_000)
    assert stage.requested == [""]


def test_no_filler_is_spoken_while_the_agent_still_talks() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.audio("r1", "A", 2_000, 1)  # "Let me look that up."
    stage.audio_done("r1", "A")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.listen(1_900)
    assert stage.requested == []
    stage.listen(800)
    assert stage.requested == [FILLER]


def test_a_filler_that_was_not_begun_is_dropped_when_the_tool_is_done() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.listen(1_600)  # r1 goes on without a word: the filler waits for its end
    stage.answer_tool("c1")
    stage.done("r1")
    assert stage.requested == [""]


def test_no_filler_is_spoken_over_the_caller() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.done("r1")
    stage.speak()
    stage.listen(2_000)
    assert stage.requested == []


def test_two_slow_tools_share_a_filler() -> None:
    stage = Stage()
    stage.begin("r1")
    stage.request_tool("r1", "c1")
    stage.listen(1_000)
    stage.request_tool("r1", "c2")
    stage.done("r1")
    stage.listen(600)
    stage.answer_tool("c1")
    assert stage.requested == [FILLER]
