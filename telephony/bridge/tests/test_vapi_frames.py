"""Each kind of event of VAPI's websocket transport, in the shape that VAPI documents (protocols.md, C2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import CostReported, SomethingHappened
from telephony.bridge.core.actions import CloseLink, HangUp
from telephony.bridge.vapi import frames as wire

from .stage import briefing
from .vapi_stage import VapiStage

MESSAGES = [
    {"role": "system", "message": "You answer the phone.", "time": 1.5, "secondsFromStart": 0},
    {"role": "bot", "message": "Hello.", "time": 2.5, "endTime": 3, "secondsFromStart": 1.4, "duration": 500},
    {"role": "user", "message": "A tire change.", "time": 4, "endTime": 5, "secondsFromStart": 3, "duration": 900},
]
CALL = {"id": "7420f27a", "orgId": "eb166faa", "type": "vapi.websocketCall", "status": "in-progress"}


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize(
    "event",
    [
        {"type": "assistant.started", "newAssistant": {"name": "Garage"}, "timestamp": 1700000000000},
        {"type": "status-update", "status": "in-progress", "call": CALL},
        {"type": "conversation-update", "messages": MESSAGES, "messagesOpenAIFormatted": []},
        {"type": "metadata", "metadata": "anything"},
        {"type": "speech-update", "status": "stopped", "role": "assistant", "turn": 0},
    ],
)
def test_the_first_sign_of_life_makes_the_assistant_ready(event: dict[str, Any], is_nested: bool) -> None:
    stage = VapiStage(briefing("Hello."), opened=False)
    stage.agent_says(json.dumps({"message": event} if is_nested else event))
    assert stage.happened == ["agent_ready"]
    assert stage.spoken_by_us == ["Hello."]


@pytest.mark.parametrize("status", ["scheduled", "queued", "ringing", "forwarding"])
def test_a_call_that_waits_is_not_ready(status: str) -> None:
    stage = VapiStage(briefing("Hello."), opened=False)
    stage.event("status-update", status=status)
    assert not stage.happened
    assert not stage.to_agent


def test_an_end_by_the_assistant_ends_the_phone_call_after_what_it_said_was_heard() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(1_000, at_once=True)
    stage.transcript("assistant", "Goodbye then.")
    stage.event("status-update", status="ended", endedReason="assistant-ended-call", call=CALL)
    stage.lose_link(1000)
    assert not stage.is_over()
    stage.listen(1_500)
    ending = stage.ending()
    assert ending is not None
    assert (ending.reason, ending.follow_up) == (EndReason.AGENT_HUNG_UP, HangUp())
    assert stage.phone.heard[0x20] == 8_000
    assert stage.links_opened == 1
    assert [line.text for line in stage.lines] == ["Goodbye then."]


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("silence-timed-out", EndReason.CALLER_SILENT),
        ("exceeded-max-duration", EndReason.TOO_LONG),
        ("manually-canceled", EndReason.HUNG_UP_BY_OPERATOR),
        ("assistant-said-end-call-phrase", EndReason.AGENT_HUNG_UP),
        ("a-reason-of-tomorrow", EndReason.AGENT_HUNG_UP),
    ],
)
def test_the_reason_of_the_end_is_kept_in_our_words_and_in_vapis(reason: str, ours: EndReason) -> None:
    stage = VapiStage()
    stage.event("status-update", status="ended", endedReason=reason)
    ending = stage.ending()
    assert ending is not None
    assert ending.reason is ours
    left = [fact for fact in stage.facts_of(SomethingHappened) if fact.kind == "agent_left"]
    assert [fact.detail for fact in left] == [{"code": reason}]


@pytest.mark.parametrize(
    "reason",
    ["pipeline-error-openai-llm-failed", "call.in-progress.error-vapifault-worker-died", "worker-shutdown"],
)
def test_a_failure_of_vapis_opens_another_call(reason: str) -> None:
    stage = VapiStage()
    stage.event("status-update", status="ended", endedReason=reason)
    assert any(isinstance(action, CloseLink) for action in stage.actions)
    assert (stage.links_opened, stage.is_over()) == (2, False)


@pytest.mark.parametrize("reason", ["pipeline-error-openai-401-unauthorized", "call.start.error-subscription-frozen"])
def test_a_failure_that_another_call_would_repeat_ends_in_the_fallback(reason: str) -> None:
    stage = VapiStage()
    stage.event("status-update", status="ended", endedReason=reason)
    ending = stage.ending()
    assert ending is not None
    assert ending.reason is EndReason.PROVIDER_REFUSED


def test_speech_updates_and_a_transcript_are_a_turn() -> None:
    stage = VapiStage()
    stage.says("A tire change, please.")
    assert [(line.speaker, line.text, line.turn) for line in stage.lines] == [("caller", "A tire change, please.", 1)]


def test_the_name_of_a_final_transcript_may_hold_its_kind() -> None:
    stage = VapiStage()
    stage.user("started")
    stage.user("stopped")
    stage.event('transcript[transcriptType="final"]', role="user", transcriptType="final", transcript="Yes.")
    assert [line.text for line in stage.lines] == ["Yes."]


def test_a_partial_transcript_is_no_line() -> None:
    stage = VapiStage()
    stage.user("started")
    stage.transcript("user", "A ti", "partial")
    assert not stage.lines


def test_model_output_and_voice_input_give_the_text_that_is_spoken_next() -> None:
    stage = VapiStage()
    stage.says("Good morning.")
    stage.event("model-output", output="Good ", turnId="b4b0e5a4")
    stage.event("model-output", output={"content": "morning."}, turnId="b4b0e5a4")
    stage.event("voice-input", input="Good morning.")
    stage.assistant("started")
    stage.sound(500)
    assert [line.text for line in stage.lines] == ["Good morning.", "Good morning."]


def test_an_interruption_by_vapi_clears_the_phone() -> None:
    stage = VapiStage()
    stage.assistant("started")
    stage.sound(2_000, at_once=True)
    stage.listen(400)
    stage.event("user-interrupted", turnId="b4b0e5a4")
    assert stage.phone.clears == 1
    assert not stage.phone.waiting_ms


def test_a_documented_tool_call_is_watched() -> None:
    stage = VapiStage()
    stage.says("Is there a margherita?")
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up_items", "arguments": {"query": "m"}}}
    stage.event("tool-calls", toolCallList=[call], toolWithToolCallList=[{"type": "function", "toolCall": call}])
    (tool,) = stage.tools
    assert (tool.tool_call_id, tool.name, json.loads(tool.arguments)) == ("call_1", "look_up_items", {"query": "m"})
    assert tool.caller_turns == 1


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c", "type": "function", "function": {"name": "look_up_items", "arguments": '{"query":"m"}'}},
        {"id": "c", "name": "look_up_items", "arguments": {"query": "m"}},
        {"id": "c", "name": "look_up_items", "parameters": {"query": "m"}},
        {"id": "c", "name": "look_up_items", "arguments": '{"query":"m"}'},
    ],
)
def test_the_arguments_of_a_tool_come_in_three_shapes(call: dict[str, Any]) -> None:
    stage = VapiStage()
    stage.event("tool-calls", toolCallList=[call])
    assert json.loads(stage.tools[0].arguments) == {"query": "m"}


def test_a_transfer_is_noted_and_dials_nothing() -> None:
    stage = VapiStage()
    stage.event("transfer-update", destination={"type": "number", "number": "+19005550100"}, toAssistant=None)
    assert stage.happened[-1] == "provider_transfer"
    assert "+1900" not in str(stage.facts)
    assert not stage.is_over()


def test_hang_says_that_the_answer_is_late() -> None:
    stage = VapiStage()
    stage.event("hang")
    assert stage.happened[-1] == "agent_slow"


def test_a_report_has_the_cost_and_the_end() -> None:
    stage = VapiStage()
    stage.event(
        "end-of-call-report",
        endedReason="customer-ended-call",
        cost=0.0725,
        costs=[{"type": "vapi", "minutes": 1.2, "cost": 0.06}],
        startedAt="2026-11-20T12:00:00.000Z",
        endedAt="2026-11-20T12:01:00.000Z",
        artifact={"transcript": "AI: Hello.\nUser: Bye.", "messages": MESSAGES},
        analysis={"summary": "The caller said goodbye."},
        call=CALL,
    )
    assert stage.facts_of(CostReported) == [CostReported("vapi 7420f27a", 0.0725)]
    assert stage.is_over()


@pytest.mark.parametrize("kind", ["workflow.node.started", "language-changed", "function-call", "of.tomorrow"])
def test_an_event_of_another_kind_is_no_fault(kind: str) -> None:
    stage = VapiStage()
    for _ in range(50):
        stage.event(kind, status=7, toolCallList="none")
    assert not stage.is_over()
    assert stage.links_opened == 1


def test_what_vapi_is_sent_has_its_documented_form() -> None:
    assert json.loads(wire.say("Hello.", is_interruptible=True)) == {
        "type": "say",
        "content": "Hello.",
        "endCallAfterSpoken": False,
        "interruptionsEnabled": True,
        "interruptAssistantEnabled": False,
    }
    assert json.loads(wire.add_message("system", "Now.", is_answered=True)) == {
        "type": "add-message",
        "message": {"role": "system", "content": "Now."},
        "triggerResponseEnabled": True,
    }
    assert json.loads(wire.end_call()) == {"type": "end-call"}
