"""The GA shapes of what a client may send (reference: protocols.md, B3 and B4), strictly."""

from __future__ import annotations

from typing import Any

import msgspec

from voiceapp.simulators.openai.schema import (
    Check,
    InvalidRequest,
    Shape,
    Tagged,
    anything,
    array,
    boolean,
    either,
    metadata,
    nullable,
    number,
    one_of,
    text,
    wrong_type,
)

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
# What the real server lists when it refuses a language of the transcription.
_LANGUAGES = """
    af ar az be bg bs ca cs cy da de el en es et fa fi fr gl he hi hr hu hy id is it ja kk kn ko lt lv mi mk mr ms ne
    nl no pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh
"""
LANGUAGES = tuple(_LANGUAGES.split())
# Instructions and tools together, at four characters to a token.
MOST_INSTRUCTION_TOKENS = 16_384
LONGEST_FRAME_BYTES = 16 * 1024 * 1024

_type = text()
_modalities_of = array(one_of("audio", "text"))


def _modalities(value: Any, path: str) -> None:
    _modalities_of(value, path)
    if value not in (["audio"], ["text"]):
        listed = ", ".join(f"'{each}'" for each in value)
        message = f"Invalid modalities: [{listed}]. Supported combinations are: ['text'] and ['audio']."
        raise InvalidRequest("invalid_value", message, path)


_format = Tagged({
    "audio/pcm": Shape({"type": _type, "rate": number(24000, 24000, whole=True)}),
    "audio/pcmu": Shape({"type": _type}),
    "audio/pcma": Shape({"type": _type}),
})  # fmt: skip
_turn_flags: dict[str, Check] = {"create_response": boolean, "interrupt_response": boolean}
_turn_detection = nullable(Tagged({
    "server_vad": Shape({"type": _type}, {
        **_turn_flags,
        "threshold": number(0, 1),
        "prefix_padding_ms": number(0, 5000, whole=True),
        "silence_duration_ms": number(0, 10000, whole=True),
        "idle_timeout_ms": nullable(number(5000, 30000, whole=True)),
    }),
    "semantic_vad": Shape({"type": _type}, {**_turn_flags, "eagerness": one_of("low", "medium", "high", "auto")}),
}))  # fmt: skip
_transcription = nullable(Shape({}, {
    "model": text(shortest=1), "language": nullable(one_of(*LANGUAGES)), "prompt": nullable(text()),
    "languages": array(one_of(*LANGUAGES)),
    "keywords": array(text()), "delay": one_of("minimal", "low", "medium", "high", "xhigh"),
}))  # fmt: skip
_noise_reduction = nullable(Shape({"type": one_of("near_field", "far_field")}, {"strength": number(0, 1)}))
_audio_input = Shape({}, {
    "format": _format, "turn_detection": _turn_detection, "transcription": _transcription,
    "noise_reduction": _noise_reduction,
})  # fmt: skip
_voice = either(one_of(*VOICES), Shape({"id": text(pattern=r"voice_[A-Za-z0-9]+")}), one_of(*VOICES))
_audio_output = Shape({}, {"format": _format, "voice": _voice, "speed": number(0.25, 1.5)})
_name = text(longest=64, pattern="[a-zA-Z0-9_-]+")


def _parameters(value: Any, path: str) -> None:
    """The JSON schema of a function's arguments is that of an object."""
    if not isinstance(value, dict):
        raise wrong_type(value, path, "an object")
    if value.get("type") != "object":
        expected = "schema must be a JSON Schema of 'type: \"object\"'"
        message = f"Invalid schema for function: {expected}, got {value.get('type')!r}."
        raise InvalidRequest("invalid_function_parameters", message, path)


_tool = Tagged({
    "function": Shape({"type": _type, "name": _name}, {"description": text(), "parameters": _parameters}),
    "mcp": Shape({"type": _type, "server_label": text()}, dict.fromkeys(
        ("server_url", "connector_id", "tunnel_id", "authorization", "headers", "allowed_tools", "require_approval",
         "server_description"), anything)),
})  # fmt: skip
_tool_choice = either(
    Tagged({
        "function": Shape({"type": _type, "name": _name}),
        "mcp": Shape({"type": _type, "server_label": text()}, {"name": text()}),
    }),
    one_of("auto", "none", "required"),
)  # fmt: skip
_max_tokens = either(one_of("inf"), number(1, 4096, whole=True))
_shared: dict[str, Check] = {
    "instructions": text(), "output_modalities": _modalities, "tools": array(_tool, longest=128),
    "tool_choice": _tool_choice, "max_output_tokens": _max_tokens, "prompt": nullable(anything),
    "parallel_tool_calls": boolean,
    "reasoning": nullable(Shape({}, {"effort": one_of("minimal", "low", "medium", "high", "xhigh")})),
}  # fmt: skip
_session = Tagged({
    "realtime": Shape({"type": _type}, {
        **_shared,
        "model": text(),
        "audio": Shape({}, {"input": _audio_input, "output": _audio_output}),
        "tracing": nullable(anything),
        "truncation": anything,
        "include": nullable(array(one_of("item.input_audio_transcription.logprobs"))),
    }),
})  # fmt: skip

_user_content = Tagged({
    "input_text": Shape({"type": _type, "text": text()}),
    "input_audio": Shape({"type": _type, "audio": text()}, {"transcript": nullable(text())}),
    "input_image": Shape({"type": _type, "image_url": text()}, {"detail": one_of("auto", "low", "high")}),
})  # fmt: skip
_system_content = Tagged({"input_text": Shape({"type": _type, "text": text()})})
_assistant_content = Tagged({"output_text": Shape({"type": _type, "text": text()})})
_item_id = text(longest=32, shortest=1, pattern="[a-zA-Z0-9_-]+")
_call_id = text(longest=32, shortest=1)
_item_extras: dict[str, Check] = {
    "id": _item_id, "object": one_of("realtime.item"),
    "status": one_of("completed", "incomplete", "in_progress"),
}  # fmt: skip


def _message(content: Check) -> Check:
    return Shape({"type": _type, "role": text(), "content": array(content)}, _item_extras)


_item = Tagged({
    "message": Tagged({
        "user": _message(_user_content),
        "system": _message(_system_content),
        "assistant": _message(_assistant_content),
    }, tag="role"),
    "function_call": Shape({"type": _type, "name": _name, "arguments": text()}, {**_item_extras, "call_id": _call_id}),
    "function_call_output": Shape({"type": _type, "call_id": _call_id, "output": text()}, _item_extras),
    "mcp_approval_response": Shape({"type": _type, "approval_request_id": text(), "approve": boolean},
                                   {**_item_extras, "reason": nullable(text())}),
})  # fmt: skip
_input_item = Tagged({**_item.shapes, "item_reference": Shape({"type": _type, "id": text()})})
_response = Shape({}, {
    **_shared, "instructions": nullable(text()),
    "audio": Shape({}, {"output": Shape({}, {"format": _format, "voice": _voice})}),
    "conversation": one_of("auto", "none"), "input": array(_input_item), "metadata": nullable(metadata),
})  # fmt: skip


def _event(required: dict[str, Check] | None = None, optional: dict[str, Check] | None = None) -> Check:
    return Shape({"type": _type, **(required or {})}, {"event_id": text(longest=512), **(optional or {})})


_client_event = Tagged({
    "session.update": _event({"session": _session}),
    "input_audio_buffer.append": _event({"audio": text(longest=LONGEST_FRAME_BYTES)}),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event({"item": _item}, {"previous_item_id": nullable(text())}),
    "conversation.item.truncate": _event({
        "item_id": text(), "content_index": number(0, 1000, whole=True), "audio_end_ms": number(0, 1e9, whole=True),
    }),
    "conversation.item.delete": _event({"item_id": text()}),
    "conversation.item.retrieve": _event({"item_id": text()}),
    "response.create": _event(optional={"response": nullable(_response)}),
    "response.cancel": _event(optional={"response_id": text()}),
    "output_audio_buffer.clear": _event(),
})  # fmt: skip


def read_event(raw: str) -> dict[str, Any]:
    """One client event, as sent. Raises `InvalidRequest`; its `event_id` is then for `event_id_of` to find."""
    try:
        event = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise InvalidRequest("invalid_json", "Could not parse the event: it is not valid JSON.") from exc
    if not isinstance(event, dict):
        raise wrong_type(event, "event", "an object")
    return event


def check_event(event: dict[str, Any]) -> None:
    _client_event(event, "")
    if event["type"] == "session.update":
        _check_instructions(event["session"])


def check_session(session: Any) -> None:
    """The session of a client secret or of an accepted call, by the same rules."""
    _session(session, "session")
    _check_instructions(session)


def _check_instructions(session: dict[str, Any]) -> None:
    written = len(session.get("instructions", "")) + len(msgspec.json.encode(session.get("tools", [])))
    if written // 4 > MOST_INSTRUCTION_TOKENS:
        limit = f"at most {MOST_INSTRUCTION_TOKENS} tokens"
        message = f"The instructions and tools of a session may have {limit}, but these have about {written // 4}."
        raise InvalidRequest("invalid_value", message, "session.instructions")
