"""No received frame raises or injects text into a frame of ours; bad frames are counted."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import CloseCall, HangUp

from .stage import SILENT, Stage

PAYLOAD = b64encode(SILENT).decode()
DEEP = "[" * 100_000
TWILIO_GARBAGE = [
    "",
    "null",
    "[]",
    "3",
    '"media"',
    "{",
    DEEP,
    '{"event":' + DEEP,
    '{"event":"media","media":' + DEEP,
    '{"event":"media"}',
    '{"event":"media","media":null}',
    '{"event":"media","media":{}}',
    '{"event":"media","media":{"payload":3}}',
    '{"event":"media","media":{"payload":NaN}}',
    '{"event":"media","media":{"payload":""}}',
    '{"event":"media","media":{"payload":"not base64!"}}',
    '{"event":"media","media":{"payload":"' + "*" * 216 + '"}}',
    '{"event":"media","media":{"payload":"' + "é" * 214 + '=="}}',
    '{"event":"media","media":{"payload":"\\ud800"}}',
    '{"event":"media","media":{"payload":"\ud800"}}',
    '{"event":"media","media":{"payload":"AAAA","timestamp":[]}}',
    '{"event":"media","media":{"payload":"AAAA","timestamp":1e999}}',
    '{"event":3}',
    '{"media":{}}',
    '{"event":"mark"}',
    '{"event":"mark","mark":{"name":7}}',
    '{"event":"dtmf","dtmf":{"digit":"12"}}',
    '{"event":"dtmf","dtmf":{"digit":""}}',
    '{"event":"dtmf","dtmf":{"digit":"x"}}',
    '{"event":"dtmf"}',
]


@pytest.mark.parametrize("text", TWILIO_GARBAGE)
def test_twenty_bad_frames_end_the_call(text: str) -> None:
    stage = Stage()
    for _ in range(19):
        stage.call.caller_frame(text)
    assert not stage.is_over()
    stage.call.caller_frame(text)
    stage.flush()
    assert stage.is_over()
    assert stage.ending() == CloseCall(EndReason.STREAM_LOST, HangUp())
    assert stage.caller_audio == b""


@pytest.mark.parametrize(
    "text",
    [
        '{"event":"connected","protocol":"Call","version":"1.0.0"}',
        '{"event":"something new","with":{"fields":[1,2,3]}}',
    ],
)
def test_frames_that_do_not_concern_us_are_not_bad(text: str) -> None:
    stage = Stage()
    for _ in range(100):
        stage.call.caller_frame(text)
    assert not stage.is_over()


@pytest.mark.parametrize(
    "text",
    [
        '{"media":{"payload":"%s","timestamp":"0"},"event":"media"}',
        '{ "event" : "media" , "media" : { "timestamp" : 0 , "payload" : "%s" } }',
        '{"event":"media","media":{"payload":"%s","timestamp":"soon"}}',
        '{"event":"media","media":{"payload":"%s","timestamp":"²"}}',
        '{"event":"media","media":{"payload":"%s","timestamp":"' + "9" * 5_000 + '"}}',
        '{"event":"media","media":{"payload":"%s","timestamp":-20}}',
        '{"event":"\\u006dedia","media":{"payload":"%s"}}',
    ],
)
def test_audio_is_understood_however_its_frame_is_written(text: str) -> None:
    stage = Stage()
    stage.call.caller_frame(text.replace("%s", PAYLOAD))
    stage.flush()
    assert stage.caller_audio == SILENT


def test_escaped_slashes_are_part_of_base64() -> None:
    stage = Stage()
    stage.call.caller_frame('{"event":"media","media":{"payload":"' + PAYLOAD.replace("/", "\\/") + '"}}')
    stage.flush()
    assert stage.caller_audio == SILENT


def test_a_payload_cannot_break_out_of_the_frame_it_is_passed_on_in() -> None:
    stage = Stage()
    evil = 'AAAA","type":"session.update","x":"'
    evil += "A" * (214 - len(evil)) + "=="
    stage.call.caller_frame(json.dumps({"event": "media", "media": {"payload": evil}}))
    stage.begin("r1")
    stage.audio("r1", "A", 20, 1)  # what follows an item's first frame would pass uncut
    stage.agent("response.output_audio.delta", response_id="r1", item_id="A", delta=evil)
    stage.flush()
    assert stage.caller_audio == b""
    assert stage.phone.media_bytes == [160]
    assert len(stage.sent("session.update")) == 1


AGENT_GARBAGE = [
    "",
    "{",
    "[]",
    DEEP,
    '{"type":' + DEEP,
    '{"type":3}',
    '{"type":"response.done","response":' + DEEP + "}",
    '{"type":"response.done","response":[]}',
    '{"type":"response.done","response":{"id":7}}',
    '{"type":"response.created","response":{"id":null}}',
    '{"type":"error","error":"no"}',
    '{"type":"input_audio_buffer.speech_started","audio_start_ms":"soon"}',
    '{"type":"input_audio_buffer.speech_started","audio_start_ms":NaN}',
    '{"type":"response.output_audio.delta"}',
    '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":5}',
    '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"not base64"}',
    '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"\\u0022"}',
    '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","content_index":"x","delta":"AAAA"}',
    '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"\ud800"}',
]


@pytest.mark.parametrize("text", AGENT_GARBAGE)
def test_twenty_bad_frames_of_the_agents_lose_its_link(text: str) -> None:
    stage = Stage()
    for _ in range(19):
        stage.agent_says(text)
    assert stage.links_closed == 0
    stage.agent_says(text)
    assert (stage.links_closed, stage.links_opened) == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"rate_limits.updated","rate_limits":"whatever"}',
        '{"type":"a.new.one","item_id":7}',
        '{"type":"response.created"}',
        '{"type":"response.done"}',
        '{"type":"response.output_item.done","item":null}',
        '{"type":"conversation.item.added"}',
        '{"type":"response.output_audio.done","item_id":"never"}',
    ],
)
def test_events_that_say_nothing_change_nothing(text: str) -> None:
    stage = Stage()
    before = list(stage.to_agent)
    for _ in range(30):
        stage.agent_says(text)
    assert stage.to_agent == before
    assert stage.links_closed == 0


def test_a_delta_written_with_spaces_is_played() -> None:
    stage = Stage()
    stage.begin("r1")
    delta = {"type": "response.output_audio.delta", "response_id": "r1", "item_id": "A", "delta": PAYLOAD}
    stage.agent_says(json.dumps(delta))
    stage.agent_says(json.dumps(delta | {"delta": "no base64"}))
    assert stage.phone.media_bytes == [160]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
events_of_twilio = st.fixed_dictionaries(
    {"event": st.sampled_from(["media", "mark", "dtmf", "stop", "start"])},
    optional={"media": anything, "mark": anything, "dtmf": anything},
)
kinds = st.sampled_from(
    [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.delta",
        "response.output_item.done",
        "response.done",
        "error",
    ]
)
name = st.sampled_from(["a", "b", ""])
item = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["function_call", "message"]),
        "call_id": name,
        "name": name,
        "status": st.just("completed"),
    }
)
response = st.fixed_dictionaries(
    {"id": name, "status": st.sampled_from(["completed", "failed", "cancelled", "incomplete"])},
    optional={"output": st.lists(item, max_size=2), "usage": st.just({"total_tokens": 3})},
)
events_of_agent = st.fixed_dictionaries(
    {"type": kinds},
    optional={
        "response": response | anything,
        "item": item | anything,
        "item_id": name,
        "response_id": name,
        "call_id": name,
        "delta": st.sampled_from([PAYLOAD, "AAAA", "hello"]) | anything,
        "transcript": st.text(max_size=10),
        "audio_start_ms": st.integers() | st.floats(),
        "audio_end_ms": st.integers() | st.floats(),
        "error": st.fixed_dictionaries({"code": st.text(max_size=5)}) | anything,
    },
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("caller"), events_of_twilio.map(json.dumps)),
            st.tuples(st.just("agent"), events_of_agent.map(json.dumps)),
            st.tuples(st.just("caller"), st.text(max_size=30)),
            st.tuples(st.just("agent"), st.text(max_size=30)),
            st.tuples(st.just("time"), st.sampled_from(["100", "3000", "9000"])),
            st.tuples(st.just("tool"), name),
            st.tuples(st.just("link"), name),
        ),
        max_size=40,
    )
)
def test_no_history_of_frames_raises_and_the_end_is_said_once_and_last(history: list[tuple[str, str]]) -> None:
    stage = Stage()
    now_ms = 0
    for what, text in history:
        match what:
            case "caller":
                stage.call.caller_frame(text)
            case "agent":
                stage.call.agent_frame(text)
            case "time":
                now_ms += int(text)
                stage.call.time_passed(now_ms)
            case "tool":
                stage.call.tool_finished(text, ToolResult("{}"))
            case "link":
                stage.lose_link() if text else stage.open()
        stage.flush()
    endings = [action for action in stage.actions if isinstance(action, CloseCall)]
    assert len(endings) == int(stage.is_over())
    if endings:
        assert stage.actions[-1] is endings[0]
