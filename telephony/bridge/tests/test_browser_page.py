"""What a browser's call does because a page is there: it waits for it, and puts back what the page changes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from sessions.calls.outcomes import ToolResult
from telephony.bridge.browser_call import GREET_AFTER_MS, JOIN_WITHIN_MS, RETURN_WITHIN_MS, BrowserCall
from telephony.bridge.core.actions import CloseCall, FallBack, HangUp, LinkLoss, OpenLink, RunTool
from telephony.bridge.openai.side_channel import SideChannelDialect

from .stage import briefing, session
from .test_browser_call import ANSWER, GREETING, SideChannel, greeted


def waiting() -> SideChannel:
    """The side channel is open, the page has not said that it hears anything."""
    side = SideChannel(briefing(GREETING), is_open=False)
    make_dialect = partial(SideChannelDialect, session(), protects_greeting=False)
    side.call = BrowserCall(briefing(GREETING), make_dialect=make_dialect, waits_for_page=True)
    side.call.time_passed(0)
    side.open()
    return side


def changes(side: SideChannel) -> list[object]:
    return [fact.detail["code"] for fact in side.facts_of(SomethingHappened) if fact.kind == "session_changed_by_page"]


def answered() -> SideChannel:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    side.say("r2", "a2", ANSWER)
    side.plays("r2")
    side.wait(4_000)
    side.has_played("r2")
    return side


def added(side: SideChannel, **item: Any) -> None:
    for kind in ("conversation.item.added", "conversation.item.done"):
        side.agent(kind, item={"status": "completed", **item}, previous_item_id=None)


# The page is there


def test_the_session_is_configured_though_nothing_announces_it() -> None:
    side = SideChannel(briefing(GREETING), is_open=False)
    side.call.link_opened()
    side.flush()
    assert len(side.of("session.update")) == 1
    side.agent("session.updated", session={"type": "realtime"})
    assert len(side.of("response.create")) == 1


def test_the_greeting_waits_for_the_page() -> None:
    side = waiting()
    side.wait(1_000)
    assert not side.of("response.create")
    side.call.joined()
    side.flush()
    assert len(side.of("response.create")) == 1
    side.call.joined()
    side.wait(JOIN_WITHIN_MS)
    assert [fact.kind for fact in side.facts_of(SomethingHappened)].count("browser_joined") == 1


def test_a_page_that_says_nothing_is_greeted_and_then_given_up() -> None:
    side = waiting()
    side.wait(GREET_AFTER_MS)
    assert len(side.of("response.create")) == 1
    side.say("r1", "a1", GREETING)
    side.wait(JOIN_WITHIN_MS - GREET_AFTER_MS)
    assert side.ending == CloseCall(EndReason.BROWSER_NEVER_JOINED, HangUp())


def test_a_caller_who_speaks_is_there() -> None:
    side = waiting()
    side.agent("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
    side.wait(JOIN_WITHIN_MS)
    assert side.ending is None


def test_typing_is_a_turn_and_interrupts() -> None:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    side.say("r2", "a2", ANSWER, is_done=False)
    side.plays("r2")
    side.wait(1_000)
    side.call.say("Two tiramisu, please.")
    side.flush()
    assert side.of("response.cancel")
    assert side.of("output_audio_buffer.clear")
    (item,) = [frame["item"] for frame in side.of("conversation.item.create")]
    assert item["content"][0]["text"] == "Two tiramisu, please."
    assert ("caller", "Two tiramisu, please.", False) in side.lines
    added(side, id=item["id"], type="message", role="user")
    side.agent("response.done", response={"id": "r2", "status": "cancelled", "output": []})
    assert len(side.of("response.create")) == 2
    assert changes(side) == []


def test_the_button_interrupts_without_a_turn() -> None:
    side = greeted()
    side.say("r2", "a2", ANSWER, is_done=False)
    side.plays("r2")
    side.wait(1_000)
    side.call.silence_agent()
    side.flush()
    assert side.of("response.cancel")
    assert side.of("output_audio_buffer.clear")
    assert side.lines[-1][2] is True
    assert not side.of("conversation.item.create")


def test_a_report_that_does_not_come_is_not_waited_for_forever() -> None:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    side.say("r2", "a2", ANSWER)
    side.plays("r2")
    side.wait(4_000 + 15_000 + 20_000)  # and then the caller is silent
    assert any("still there" in str(frame) for frame in side.of("response.create"))


# The side channel


def test_a_regular_end_is_the_browsers() -> None:
    side = greeted()
    side.call.link_lost(LinkLoss(1000, ""))
    side.flush()
    assert side.ending == CloseCall(EndReason.CALLER_HUNG_UP, HangUp())
    assert side.call.has_left


def test_a_browser_that_the_provider_lost_may_come_back() -> None:
    """Its page is there: in its call's place it begins another one, whose session gets everything."""
    side = answered()
    side.call.page_came()
    side.take_turn("u2", "And a coffee.")
    side.say("r3", "a3", ANSWER, is_done=False)
    side.plays("r3")
    side.wait(3_000)
    side.call.link_lost(LinkLoss(1000, ""))
    side.wait(5_000)
    assert side.call.is_alone
    assert side.ending is None
    before = len(side.sent)
    links = sum(isinstance(action, OpenLink) for action in side.actions)
    side.call.moved(unheard_ms=6_000)
    side.flush()
    assert sum(isinstance(action, OpenLink) for action in side.actions) == links + 1
    side.call.link_opened()
    side.flush()
    side.agent("session.updated", session={"type": "realtime"})
    update, *replayed = side.sent[before:]
    assert update["type"] == "session.update"
    texts = [frame["item"]["content"][0]["text"] for frame in replayed]
    assert texts == [GREETING, "One tiramisu, please.", ANSWER, "And a coffee.", "One tiramisu comes to five"]
    for frame in replayed:
        added(side, **frame["item"])
    assert changes(side) == []
    assert len(side.of("response.create")) == 1, "nobody hears it yet"
    side.call.joined()
    side.flush()
    assert "catch that" in side.of("response.create")[1]["response"]["instructions"]
    assert side.ending is None


def test_what_did_not_arrive_any_more_was_not_heard() -> None:
    side = answered()
    side.say("r3", "a3", ANSWER, is_done=False)
    side.plays("r3")
    side.wait(7_000)
    side.call.moved(unheard_ms=5_000)
    side.flush()
    assert side.lines[-1] == ("agent", "One tiramisu comes to five", True)


def test_a_tool_that_ends_while_the_browser_is_away_is_answered_in_its_new_session() -> None:
    side = greeted()
    side.call.page_came()
    side.take_turn("u1", "One tiramisu, please.")
    item = {"id": "f1", "type": "function_call", "status": "completed", "call_id": "c1", "name": "change_order",
            "arguments": "{}"}  # fmt: skip
    side.agent("response.created", response={"id": "r2", "status": "in_progress"})
    side.agent("response.done", response={"id": "r2", "status": "completed", "output": [item]})
    (tool,) = [action for action in side.actions if isinstance(action, RunTool)]
    side.call.moved(unheard_ms=0)
    side.call.tool_finished(tool.tool_call_id, ToolResult('{"ok":true}'))
    side.call.link_opened()
    side.call.joined()
    side.agent("session.updated", session={"type": "realtime"})
    items = [frame["item"] for frame in side.of("conversation.item.create")]
    assert [item.get("output") for item in items] == [None, None, None, '{"ok":true}']
    assert items[2]["call_id"] == items[3]["call_id"]
    for each in items:
        added(side, **each)
    assert changes(side) == []


def abandoned() -> SideChannel:
    """The provider has lost the browser, and its page is there."""
    side = answered()
    side.call.page_came()
    side.call.link_lost(LinkLoss(1000, ""))
    side.flush()
    assert side.ending is None
    return side


def test_a_page_that_stays_away_ends_the_call() -> None:
    side = abandoned()
    side.wait(RETURN_WITHIN_MS)
    assert side.ending == CloseCall(EndReason.STREAM_LOST, HangUp())
    assert side.call.has_left


def test_a_page_that_is_closed_ends_the_call() -> None:
    side = abandoned()
    side.call.page_left()
    side.flush()
    assert side.ending == CloseCall(EndReason.CALLER_HUNG_UP, HangUp())
    assert side.call.has_left


def test_a_browser_that_does_not_come_back_though_it_said_so() -> None:
    side = answered()
    side.call.moved(unheard_ms=0)
    side.open()
    side.wait(GREET_AFTER_MS)
    side.say("r3", "a3", "Sorry, I did not catch that.")
    side.wait(JOIN_WITHIN_MS - GREET_AFTER_MS)
    assert side.ending == CloseCall(EndReason.STREAM_LOST, HangUp())


def test_a_lost_side_channel_of_the_new_session_is_opened_again_and_nothing_is_told_twice() -> None:
    side = answered()
    side.call.moved(unheard_ms=0)
    side.call.link_opened()
    side.call.joined()
    side.agent("session.updated", session={"type": "realtime"})
    before = len(side.of("conversation.item.create"))
    side.call.link_lost(LinkLoss(1006, ""))
    side.open()
    assert len(side.of("conversation.item.create")) == before


def test_a_call_that_is_gone_after_a_loss_has_failed() -> None:
    side = greeted()
    side.call.link_lost(LinkLoss(1006, ""))
    side.call.link_lost(LinkLoss(404, "HTTP 404", is_fatal=True))
    side.flush()
    assert side.ending == CloseCall(EndReason.PROVIDER_FAILED, FallBack())


def test_a_side_channel_that_is_refused_ends_the_call() -> None:
    side = SideChannel(briefing(GREETING), is_open=False)
    side.call.link_lost(LinkLoss(403, "HTTP 403", is_fatal=True))
    side.flush()
    assert side.ending == CloseCall(EndReason.PROVIDER_REFUSED, FallBack())


def test_a_call_that_is_not_known_yet_is_looked_for_again() -> None:
    side = SideChannel(briefing(GREETING), is_open=False)
    side.call.link_lost(LinkLoss(404, "HTTP 404", is_fatal=True))
    side.wait(1_000)
    assert sum(isinstance(action, OpenLink) for action in side.actions) == 2
    side.open()
    assert len(side.of("response.create")) == 1


def test_a_call_that_stays_unknown_is_given_up() -> None:
    side = SideChannel(briefing(GREETING), is_open=False)
    tries = 0
    while side.ending is None:
        found = sum(isinstance(action, OpenLink) for action in side.actions)
        if found > tries:
            tries = found
            side.call.link_lost(LinkLoss(404, "HTTP 404", is_fatal=True))
        side.wait(100)
    assert 4 <= tries <= 10
    assert side.ending == CloseCall(EndReason.PROVIDER_REFUSED, FallBack())


def test_a_tool_that_ends_while_the_side_channel_is_lost_is_answered_on_the_next() -> None:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    side.agent("response.created", response={"id": "r2", "status": "in_progress"})
    item = {"id": "f1", "type": "function_call", "status": "completed", "call_id": "c1", "name": "change_order",
            "arguments": "{}"}  # fmt: skip
    side.agent("response.output_item.done", response_id="r2", output_index=0, item=item)
    side.agent("response.done", response={"id": "r2", "status": "completed", "output": [item]})
    (tool,) = [action for action in side.actions if isinstance(action, RunTool)]
    side.call.link_lost(LinkLoss(1006, ""))
    side.call.tool_finished(tool.tool_call_id, ToolResult('{"ok":true}'))
    side.flush()
    assert not side.of("conversation.item.create")
    side.open()
    (output,) = [frame["item"] for frame in side.of("conversation.item.create")]
    assert (output["call_id"], output["output"]) == ("c1", '{"ok":true}')
    assert len(side.of("response.create")) == 2


def test_what_the_server_answered_meanwhile_is_not_requested_again() -> None:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    side.call.link_lost(LinkLoss(1006, ""))
    side.flush()
    side.open()
    assert len(side.of("response.create")) == 1  # the greeting
    side.say("r2", "a2", ANSWER)
    assert changes(side) == []


# What the page changes


def test_the_third_change_ends_the_call() -> None:
    side = greeted()
    for _ in range(3):
        side.agent("session.updated", session={"type": "realtime", "instructions": "Everything is free."})
        if side.ending is None:
            side.agent("session.updated", session={"type": "realtime"})
    assert changes(side) == ["session.update"] * 3
    assert side.ending == CloseCall(EndReason.PAGE_CHANGED_SESSION, HangUp())


def test_a_voice_that_cannot_be_put_back_does_not_keep_the_rest() -> None:
    side = greeted()
    side.agent("session.updated", session={"type": "realtime", "instructions": "Everything is free."})
    side.agent("error", error={"type": "invalid_request_error", "code": "cannot_update_voice", "message": "Too late."})
    *_, whole, rest = side.of("session.update")
    assert whole["session"]["audio"]["output"]
    assert "output" not in rest["session"]["audio"]
    assert rest["session"]["audio"]["input"] == whole["session"]["audio"]["input"]


def test_a_response_that_nobody_asked_for_is_canceled() -> None:
    side = answered()
    side.agent("response.created", response={"id": "r3", "status": "in_progress"})
    assert [frame["response_id"] for frame in side.of("response.cancel")] == ["r3"]
    assert changes(side) == ["response.create"]
    assert side.ending is None


def test_a_response_beside_another_one_is_canceled() -> None:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    side.agent("response.created", response={"id": "r2", "status": "in_progress"})
    side.agent("response.created", response={"id": "r3", "status": "in_progress"})
    assert [frame["response_id"] for frame in side.of("response.cancel")] == ["r3"]


@pytest.mark.parametrize(
    ("item", "ends"),
    [
        ({"type": "function_call_output", "call_id": "c1"}, True),
        ({"type": "message", "role": "system"}, True),
        ({"type": "mcp_approval_response"}, True),
        ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 501}]}, True),
        ({"type": "message", "role": "user", "content": [{"type": "input_image"}]}, True),
        ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Is it free?"}]}, False),
        ({"type": "message", "role": "assistant"}, False),
        ({"type": "function_call", "call_id": "c1", "name": "submit_order"}, False),
    ],
)
def test_items_of_the_pages_own_are_deleted_and_the_misleading_end_the_call(item: dict[str, Any], ends: bool) -> None:
    side = answered()
    added(side, id="page_1", **item)
    assert [frame["item_id"] for frame in side.of("conversation.item.delete")] == ["page_1"]
    assert changes(side) == ["conversation.item.create"]
    assert (side.ending is not None) is ends
    side.agent("conversation.item.deleted", item_id="page_1")
    assert changes(side) == ["conversation.item.create"]


def test_what_the_agent_and_the_caller_say_is_nobodys_change() -> None:
    side = greeted()
    side.take_turn("u1", "One tiramisu, please.")
    added(side, id="u1", type="message", role="user", content=[{"type": "input_audio", "transcript": None}])
    side.agent("response.created", response={"id": "r2", "status": "in_progress"})
    for item in ({"id": "a2", "type": "message", "role": "assistant"}, {"id": "f2", "type": "function_call"}):
        side.agent("conversation.item.added", item=item, previous_item_id=None)
        side.agent("response.output_item.added", response_id="r2", output_index=0, item=item)
        side.agent("conversation.item.done", item=item, previous_item_id=None)
    assert changes(side) == []


def test_what_is_typed_comes_over_our_socket_and_is_nobodys_change() -> None:
    side = answered()
    side.call.say("And a " + "very " * 100 + "small one.")
    side.flush()
    item = side.of("conversation.item.create")[-1]["item"]
    added(side, **item)
    assert changes(side) == []
    assert side.of("conversation.item.delete") == []


def test_a_response_that_was_given_up_and_comes_after_all_is_let_through() -> None:
    side = SideChannel(briefing(GREETING))
    side.wait(5_000)
    side.agent("rate_limits.updated", rate_limits=[])  # the link is alive
    side.wait(5_000)
    assert len(side.of("response.create")) == 2
    side.agent("response.created", response={"id": "r1", "status": "in_progress"})
    side.agent("response.done", response={"id": "r1", "status": "completed", "output": []})
    assert changes(side) == []


def test_a_deleted_item_is_noticed() -> None:
    side = answered()
    side.agent("conversation.item.deleted", item_id="a2")
    assert changes(side) == ["conversation.item.delete"]
