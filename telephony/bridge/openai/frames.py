"""OpenAI Realtime on the wire, GA shapes: server events as typed values, client events as text."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from telephony.bridge.core.ports import NOT_JSON, BadFrame

AUDIO_DELTA = '{"type":"response.output_audio.delta"'
# As `previous_item_id`: the item becomes the first.
FIRST = "root"
_PCMU = "audio/pcmu"
# In the head of every frame that is about a response, known to us or not.
_RESPONSE = '"response.'


class AudioDelta(msgspec.Struct, gc=False):
    type: str
    response_id: str
    item_id: str
    delta: str
    content_index: int = 0


class ErrorBody(msgspec.Struct):
    type: str | None = None
    code: str | None = None
    message: str | None = None
    event_id: str | None = None


class Part(msgspec.Struct):
    type: str | None = None
    text: str | None = None


class Item(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    role: str | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    content: list[Part] | None = None


class StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: ErrorBody | None = None


class Response(msgspec.Struct):
    id: str
    status: str | None = None
    status_details: StatusDetails | None = None
    output: list[Item] = []
    usage: dict[str, object] | None = None


class Format(msgspec.Struct):
    type: str | None = None


class AudioSide(msgspec.Struct):
    format: Format | None = None


class Audio(msgspec.Struct):
    input: AudioSide | None = None
    output: AudioSide | None = None


class Session(msgspec.Struct):
    audio: Audio | None = None
    instructions: str | None = None


class ServerEvent(msgspec.Struct):
    """Every server event that matters here: `type` says which fields do."""

    type: str
    item_id: str = ""
    response_id: str = ""
    output_index: int = 0
    content_index: int = 0
    delta: str = ""
    transcript: str = ""
    audio_start_ms: int | float = 0
    audio_end_ms: int | float = 0
    item: Item | None = None
    response: Response | None = None
    error: ErrorBody | None = None
    session: Session | None = None
    usage: dict[str, object] | None = None


class _Head(msgspec.Struct):
    type: str


_delta = msgspec.json.Decoder(AudioDelta)
_head = msgspec.json.Decoder(_Head)
_event = msgspec.json.Decoder(ServerEvent)


def is_about_response(text: str) -> bool:
    return _RESPONSE in text[:120]


def parse_delta(text: str) -> AudioDelta:
    try:
        return _delta.decode(text)
    except NOT_JSON as exc:
        raise BadFrame from exc


def parse_event(text: str, known: frozenset[str]) -> ServerEvent | None:
    """An event of a known type; None for the others, whatever they hold."""
    try:
        return _event.decode(text) if _head.decode(text).type in known else None
    except NOT_JSON as exc:
        raise BadFrame from exc


def is_pcmu(session: Session) -> bool:
    """Whether both sides of the session's audio are µ-law, or name no format."""
    sides = (session.audio.input, session.audio.output) if session.audio else ()
    return all(side.format.type in (None, _PCMU) for side in sides if side and side.format)


def session_update(session: Mapping[str, object]) -> str:
    return json.dumps({"type": "session.update", "session": session})


def create_response(event_id: str, say: str, *, in_other_words: bool = False) -> str:
    """`say` empty: the model's own answer. Otherwise these words or their meaning, and no tools."""
    frame: dict[str, object] = {"type": "response.create", "event_id": event_id}
    if say:
        words = say.replace('"', "'")
        order = "Say this aloud, in other and few words" if in_other_words else "Say exactly"
        frame["response"] = {"instructions": f'{order}: "{words}"', "tool_choice": "none"}
    return json.dumps(frame)


def commit_audio() -> str:
    return '{"type":"input_audio_buffer.commit"}'


def cancel_response(response_id: str) -> str:
    return json.dumps({"type": "response.cancel", "response_id": response_id})


def truncate(item_id: str, content_index: int, heard_ms: int) -> str:
    return json.dumps(
        {
            "type": "conversation.item.truncate",
            "item_id": item_id,
            "content_index": content_index,
            "audio_end_ms": heard_ms,
        }
    )


def caller_text(item_id: str, text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    return _create_item({"id": item_id, "type": "message", "role": "user", "content": content})


def system_text(item_id: str, text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    return _create_item({"id": item_id, "type": "message", "role": "system", "content": content})


def agent_text(item_id: str, text: str, *, after: str | None = None) -> str:
    """`after`: the item before it, or FIRST; without one it is the last."""
    content = [{"type": "output_text", "text": text}]
    return _create_item({"id": item_id, "type": "message", "role": "assistant", "content": content}, after)


def delete_item(item_id: str) -> str:
    return json.dumps({"type": "conversation.item.delete", "item_id": item_id})


def tool_call(item_id: str, call_id: str, name: str, arguments: str) -> str:
    return _create_item(
        {"id": item_id, "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    )


def tool_output(item_id: str, call_id: str, output: str) -> str:
    return _create_item({"id": item_id, "type": "function_call_output", "call_id": call_id, "output": output})


def _create_item(item: Mapping[str, object], after: str | None = None) -> str:
    place = {} if after is None else {"previous_item_id": after}
    return json.dumps({"type": "conversation.item.create", **place, "item": item})
