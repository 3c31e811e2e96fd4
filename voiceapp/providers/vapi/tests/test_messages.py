"""VAPI's messages are read in every shape that it has sent, and nothing in one makes reading fail."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceapp.providers.vapi.messages import (
    MessageUnreadable,
    VapiMessage,
    caller_turns,
    read_message,
    spoken_lines,
)

ARGUMENTS = {"target": "front-desk"}
TEXT = json.dumps(ARGUMENTS)


def message(**fields: Any) -> VapiMessage:
    return read_message(json.dumps({"message": {"type": "tool-calls", **fields}}).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {"toolCallList": [{"id": "c1", "type": "function", "function": {"name": "transfer_call", "arguments": TEXT}}]},
        {"toolCallList": [{"id": "c1", "function": {"name": "transfer_call", "arguments": ARGUMENTS}}]},
        {"toolCallList": [{"id": "c1", "name": "transfer_call", "arguments": ARGUMENTS}]},
        {"toolCallList": [{"id": "c1", "name": "transfer_call", "parameters": ARGUMENTS}]},
        {"toolCalls": [{"id": "c1", "function": {"name": "transfer_call", "arguments": TEXT}}]},
        {"toolWithToolCallList": [{"name": "transfer_call", "toolCall": {"id": "c1", "parameters": ARGUMENTS}}]},
        {
            "toolCallList": [],
            "toolWithToolCallList": [
                {
                    "type": "function",
                    "function": {"name": "transfer_call", "parameters": {"type": "object"}},
                    "toolCall": {"id": "c1", "function": {"name": "transfer_call", "arguments": TEXT}},
                }
            ],
        },
    ],
    ids=["sdk", "object", "arguments", "parameters", "toolCalls", "pairs of the docs", "pairs of the SDK"],
)
def test_every_shape_of_a_tool_call_is_the_same_call(fields: dict[str, Any]) -> None:
    (tool,) = message(**fields).tools
    assert (tool.id, tool.name, json.loads(tool.arguments)) == ("c1", "transfer_call", ARGUMENTS)


def test_the_legacy_function_call_has_no_id() -> None:
    (tool,) = message(functionCall={"name": "end_call", "parameters": {}}).tools
    assert (tool.id, tool.name, tool.arguments) == ("", "end_call", "{}")


def test_several_calls_keep_their_order() -> None:
    calls = [{"id": f"c{number}", "name": f"tool_{number}"} for number in range(5)]
    assert [tool.id for tool in message(toolCallList=calls).tools] == ["c0", "c1", "c2", "c3", "c4"]


NO_MESSAGE = [
    b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000, b"{}", b'{"message": []}', b'{"message": {}}',
    b'{"message": {"type": 5}}', b'{"message": {"type": ""}}', b'{"message": {"type": "hang", "cost": NaN}}',
    b'{"message": {"type": "hang", "cost": 1e999}}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_MESSAGE, ids=range(len(NO_MESSAGE)))
def test_a_body_without_a_message_is_unreadable(body: bytes) -> None:
    with pytest.raises(MessageUnreadable):
        read_message(body)


def test_the_key_is_the_calls_the_types_and_the_times() -> None:
    first, again = (message(call={"id": "v1"}, timestamp=1_700_000_000_000) for _ in range(2))
    later = message(call={"id": "v1"}, timestamp=1_700_000_000_001)
    assert first.key.startswith("v1:tool-calls:1700000000000:")
    assert first.key == again.key != later.key
    assert first.timestamp == dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "fields",
    [
        {"call": {"assistantOverrides": {"metadata": {"callId": "ours"}}}},
        {"call": {"metadata": {"callId": "ours"}}},
        {"call": {"assistant": {"metadata": {"callId": "ours"}}}},
        {"assistant": {"metadata": {"callId": "ours"}}},
    ],
)
def test_our_metadata_is_found_wherever_vapi_repeats_it(fields: dict[str, Any]) -> None:
    assert message(**fields).metadata == {"callId": "ours"}


def spoken(*lines: str) -> list[dict[str, Any]]:
    """“u: yes” is the caller's, “b: …” the agent's, “t:” a tool call."""
    roles = {"u": "user", "b": "bot", "t": "tool_calls", "s": "system", "a": "assistant"}
    return [{"role": roles[line[0]], "message": line[2:].strip()} for line in lines]


@pytest.mark.parametrize(
    ("lines", "turns"),
    [
        ([], 0),
        (["s: prompt", "b: hello"], 0),
        (["b: hello", "u: a pizza"], 1),
        (["u: hello?", "b: hello", "u: a pizza"], 2),
        (["b: hello", "u: a pizza", "u: a large one"], 1),
        (["b: hello", "u: a pizza", "t:", "u: quickly"], 1),
        (["b: hello", "u: a pizza", "t:", "b: a pizza, right?", "u: yes"], 2),
        (["b: hello", "u: a pizza", "b: ", "u: yes"], 1),
        (["b: hello", "u: ", "b: hello?", "u: a pizza"], 1),
    ],
)
def test_a_turn_is_what_the_caller_says_after_the_agent(lines: list[str], turns: int) -> None:
    assert caller_turns(spoken(*lines)) == turns


def test_turns_are_the_same_in_openais_form() -> None:
    lines: list[dict[str, Any]] = [
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "a pizza"},
    ]
    lines += [{"role": "assistant", "content": "", "tool_calls": [{}]}, {"role": "tool", "content": "{}"}]
    assert caller_turns(lines) == 1


@pytest.mark.parametrize("role", [{}, [], ["user"], None, 5, True])
def test_a_role_that_is_no_name_is_nobodys(role: Any) -> None:
    conversation = [{"role": role, "message": "hello"}, {"role": "user", "message": "a pizza"}]
    assert caller_turns(conversation) == 1
    assert [line.text for line in spoken_lines(conversation)] == ["a pizza"]


def test_lines_are_what_was_said_with_its_time() -> None:
    lines = spoken_lines(
        [
            {"role": "system", "message": "You are Giulia."},
            {"role": "bot", "message": "Hello!", "secondsFromStart": 1.5},
            {"role": "user", "message": "A\npizza", "secondsFromStart": "soon"},
            {"role": "tool_call_result", "result": "{}"},
        ]
    )
    assert [(line.speaker, line.text, line.at_ms) for line in lines] == [
        ("agent", "Hello!", 1500),
        ("caller", "A pizza", None),
    ]


FIELDS = (
    "type call id timestamp artifact messages role message content toolCallList toolCalls toolWithToolCallList "
    "toolCall function name arguments parameters metadata assistant assistantOverrides phoneNumber number customer "
    "monitor controlUrl functionCall secondsFromStart"
)
NAMES = st.sampled_from(FIELDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_no_property_of_a_hostile_message_fails(record: dict[str, Any]) -> None:
    hostile = VapiMessage(record)
    for name in dir(VapiMessage):
        if isinstance(getattr(VapiMessage, name), property):
            getattr(hostile, name)
    conversation = hostile.conversation or []
    assert caller_turns(conversation) >= 0
    spoken_lines(conversation)
