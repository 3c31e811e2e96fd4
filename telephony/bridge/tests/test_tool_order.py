"""The tools of a call run in the model's order; a tool that hangs gets an output, and so do those behind it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from sessions.calls.briefing import CallLimits
from sessions.calls.outcomes import EndCall, Transfer
from telephony.bridge.core.tools import MOST_STUCK

from .stage import Stage, briefing

ENDS_WITHIN_MS = 3_000
PATIENT = CallLimits(tool_ends_within_ms=ENDS_WITHIN_MS, reprompt_after_ms=900_000, goodbye_after_ms=900_000)
WRITE = "change_order"
READ = "look_up_items"


def begun(stage: Stage) -> list[str]:
    return [tool.tool_call_id for tool in stage.tools]


def outputs(stage: Stage) -> dict[str, dict[str, Any]]:
    items = [frame["item"] for frame in stage.sent("conversation.item.create")]
    return {item["call_id"]: json.loads(item["output"]) for item in items if item["type"] == "function_call_output"}


def request_tools(stage: Stage, *tools: str, response: str = "r1", ends: bool = True) -> None:
    """One response with these tools: `write_a` changes something, `read_b` only reads."""
    stage.begin(response)
    for tool in tools:
        stage.request_tool(response, tool, READ if tool.startswith("read") else WRITE)
    if ends:
        stage.done(response)


def test_tools_that_change_something_begin_when_the_one_before_has_ended() -> None:
    stage = Stage()
    request_tools(stage, *(calls := [f"write_{number}" for number in range(5)]))
    for number in range(5):
        assert begun(stage) == calls[: number + 1]
        stage.answer_tool(calls[number])
    assert list(outputs(stage)) == calls
    assert stage.requested == [""]


def test_tools_of_a_later_response_wait_for_those_of_an_earlier_one() -> None:
    stage = Stage()
    request_tools(stage, "write_1", "write_2")
    stage.take_turn("u1")
    request_tools(stage, "write_3", response="r2")
    assert begun(stage) == ["write_1"]
    stage.answer_tool("write_1")
    assert begun(stage) == ["write_1", "write_2"]
    stage.answer_tool("write_2")
    assert begun(stage) == ["write_1", "write_2", "write_3"]


def test_tools_of_an_earlier_session_come_before_those_of_a_new_one() -> None:
    stage = Stage()
    request_tools(stage, "write_1")
    stage.lose_link()
    stage.open()
    request_tools(stage, "write_2", response="r2")
    assert begun(stage) == ["write_1"]
    stage.answer_tool("write_1")
    assert begun(stage) == ["write_1", "write_2"]


def test_what_reads_runs_beside_what_reads() -> None:
    stage = Stage()
    request_tools(stage, "read_1", "read_2", "read_3")
    assert begun(stage) == ["read_1", "read_2", "read_3"]


def test_what_changes_something_waits_for_every_reader_in_front_of_it() -> None:
    stage = Stage()
    request_tools(stage, "read_1", "read_2", "write_3", "read_4")
    assert begun(stage) == ["read_1", "read_2"]
    stage.answer_tool("read_2")
    assert begun(stage) == ["read_1", "read_2"]
    stage.answer_tool("read_1")
    assert begun(stage) == ["read_1", "read_2", "write_3"]


def test_what_reads_sees_every_change_requested_before_it() -> None:
    stage = Stage()
    request_tools(stage, "write_1", "read_2", "read_3", "write_4")
    assert begun(stage) == ["write_1"]
    stage.answer_tool("write_1")
    assert begun(stage) == ["write_1", "read_2", "read_3"]


def test_an_undeclared_tool_counts_as_one_that_changes_something() -> None:
    stage = Stage()
    stage.begin()
    stage.request_tool("r1", "c1", "invented")
    stage.request_tool("r1", "c2", "invented")
    assert begun(stage) == ["c1"]


def test_items_that_are_finished_out_of_order_run_in_the_order_of_the_output() -> None:
    stage = Stage()
    stage.begin()
    for index in range(3):
        item = {"id": f"item_{index}", "type": "function_call", "status": "in_progress", "call_id": f"c{index}"}
        stage.agent("response.output_item.added", response_id="r1", output_index=index, item=item)
    for index in (2, 0, 1):
        call = {
            "type": "function_call",
            "status": "completed",
            "call_id": f"c{index}",
            "name": WRITE,
            "arguments": "{}",
        }
        stage.agent("response.output_item.done", response_id="r1", output_index=index, item=call)
        if index == 2:
            assert begun(stage) == []
    stage.done()
    for index in range(3):
        stage.answer_tool(f"c{index}")
    assert begun(stage) == ["c0", "c1", "c2"]


def test_an_item_that_is_never_finished_holds_nothing_back_after_the_response() -> None:
    stage = Stage()
    stage.begin()
    lost = {"id": "item_0", "type": "function_call", "status": "in_progress", "call_id": "c0"}
    stage.agent("response.output_item.added", response_id="r1", output_index=0, item=lost)
    call = {"type": "function_call", "status": "completed", "call_id": "c1", "name": WRITE, "arguments": "{}"}
    stage.agent("response.output_item.done", response_id="r1", output_index=1, item=call)
    stage.done()
    assert begun(stage) == ["c1"]


@pytest.mark.parametrize("seed", range(50))
def test_whatever_overlaps_no_two_changes_run_at_once_and_none_overtakes(seed: int) -> None:
    chance = random.Random(seed)
    stage = Stage()
    requested: list[str] = []
    running: list[str] = []
    seen = 0
    for response in range(chance.randint(1, 4)):
        calls = [f"{chance.choice(['read', 'write'])}_{response}_{number}" for number in range(chance.randint(1, 5))]
        requested += calls
        request_tools(stage, *calls, response=f"r{response}")
        while True:
            running += begun(stage)[seen:]
            seen = len(begun(stage))
            writers = [call for call in running if call.startswith("write")]
            assert not writers or running == writers[:1]
            if not running or (response < 3 and chance.random() < 0.2):
                break
            stage.answer_tool(running.pop(chance.randrange(len(running))))
    while running or seen < len(begun(stage)):
        running += begun(stage)[seen:]
        seen = len(begun(stage))
        stage.answer_tool(running.pop(0))
    assert begun(stage) == requested
    assert set(outputs(stage)) == set(requested)


# A tool that hangs


def test_a_tool_that_hangs_is_answered_when_its_time_is_over() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1")
    stage.listen(ENDS_WITHIN_MS - 200)
    assert outputs(stage) == {}
    stage.listen(400)
    assert outputs(stage)["write_1"]["ok"] is False
    assert "tool_timed_out" in stage.happened
    assert stage.ending() is None


def test_the_agent_speaks_after_a_tool_that_hung() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1")
    stage.listen(2_000)
    stage.say("r2", "F", 800, 1)  # the filler
    stage.listen(ENDS_WITHIN_MS)
    assert stage.requested[-1] == ""


def test_changes_that_wait_behind_one_that_hangs_are_answered_and_not_run() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1", "write_2", "read_3", "write_4", "read_5")
    stage.listen(ENDS_WITHIN_MS + 200)
    assert begun(stage) == ["write_1", "read_3", "read_5"]  # they counted on what was not done; looking harms nothing
    stage.answer_tool("read_3")
    stage.answer_tool("read_5")
    given = outputs(stage)
    assert [given[call]["ok"] for call in ("write_1", "write_2", "read_3", "write_4", "read_5")] == [
        False, False, True, False, True,
    ]  # fmt: skip
    assert stage.happened.count("tool_not_run") == 2
    stage.listen(200)
    assert len(stage.tools) == 3


def test_a_change_requested_after_one_that_hung_is_run() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1")
    stage.listen(ENDS_WITHIN_MS + 200)
    request_tools(stage, "write_2", response="r2")
    assert begun(stage) == ["write_1", "write_2"]


def test_each_tool_has_its_own_time_from_when_it_begins() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1", "write_2")
    stage.listen(ENDS_WITHIN_MS - 1_000)
    stage.answer_tool("write_1")
    stage.listen(ENDS_WITHIN_MS - 1_000)
    assert "write_2" not in outputs(stage)
    stage.answer_tool("write_2")
    assert outputs(stage)["write_2"]["ok"] is True


def test_a_reader_that_hangs_takes_nothing_down_with_it() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "read_1", "read_2", "write_3")
    stage.answer_tool("read_2")
    stage.listen(ENDS_WITHIN_MS + 200)
    assert begun(stage) == ["read_1", "read_2", "write_3"]
    stage.answer_tool("write_3")
    assert [outputs(stage)[call]["ok"] for call in ("read_1", "read_2", "write_3")] == [False, True, True]


@pytest.mark.parametrize("then", [None, EndCall(), Transfer("front-desk")])
def test_what_ends_after_it_was_given_up_changes_nothing(then: EndCall | Transfer | None) -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1")
    stage.listen(ENDS_WITHIN_MS + 200)
    before = list(stage.to_agent)
    stage.answer_tool("write_1", '{"ok": true}', then=then)
    assert stage.to_agent == before
    assert stage.ending() is None
    assert stage.happened.count("tool_ended_late") == 1
    stage.answer_tool("write_1")
    assert stage.happened.count("tool_ended_late") == 1


def test_a_late_end_of_a_tool_is_not_taken_for_the_one_that_runs_now() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "call_1")
    stage.listen(ENDS_WITHIN_MS + 200)
    request_tools(stage, "call_1", "call_2", response="r2")
    stage.answer_tool("call_1", '{"ok": true}')
    assert len(stage.tools) == 2  # call_2 still waits
    stage.answer_tool(stage.tools[1].tool_call_id)
    assert begun(stage)[2] == "call_2"


def test_a_call_whose_tools_hang_holds_a_bounded_number_of_threads() -> None:
    stage = Stage(briefing(limits=PATIENT))
    for number in range(MOST_STUCK + 2):
        request_tools(stage, f"write_{number}", response=f"r{number}")
        stage.listen(ENDS_WITHIN_MS + 200)
        assert outputs(stage)[f"write_{number}"]["ok"] is False
        stage.say(f"s{number}", f"S{number}", 200, 1)
    assert len(stage.tools) == MOST_STUCK
    stage.answer_tool("write_0")  # one of them has come back
    request_tools(stage, "write_9", response="r9")
    assert begun(stage)[-1] == "write_9"


def test_a_tool_that_hangs_while_there_is_no_link_is_answered_in_the_replay() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1")
    stage.listen(1_000)
    stage.lose_link()
    stage.listen(ENDS_WITHIN_MS - 800)
    stage.open()
    assert outputs(stage)["write_1"]["ok"] is False


def test_the_caller_does_not_sit_in_silence_while_a_tool_hangs() -> None:
    stage = Stage()
    stage.take_turn()
    request_tools(stage, "write_1")
    quiet_ms = longest_ms = heard = 0
    for _ in range(95):
        stage.listen(100)
        now_heard = sum(stage.phone.heard.values())
        quiet_ms = 0 if now_heard > heard else quiet_ms + 100
        heard, longest_ms = now_heard, max(longest_ms, quiet_ms)
    assert longest_ms < 5_000


def test_what_waits_when_the_call_ends_is_given_to_the_shell_once() -> None:
    stage = Stage(briefing(limits=PATIENT))
    request_tools(stage, "write_1", "write_2", "read_3")
    stage.call.caller_gone("away")
    stage.flush()
    assert [tool.tool_call_id for tool in stage.call.waiting_tools()] == ["write_2", "read_3"]
    assert stage.call.waiting_tools() == []
