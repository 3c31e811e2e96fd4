"""VAPI's websocket transport on the wire (protocols.md, C2): events as typed values, control messages as text.

Sound goes over the socket as binary frames. Here it is base64, which no event can be taken for: an event begins with a
brace. The link (telephony/live/vapi_provider.py) turns one into the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from sessions.calls.facts import Speaker
from telephony.bridge.core.ports import NOT_JSON, BadFrame
from telephony.bridge.core.transcript import Past, PastLine

JSON_BEGINS = "{"
# What the link reports in the place of VAPI: a call was created over REST, and how it ended by then.
CREATED = "voiceapp.created"

STARTED = "assistant.started"
STATUS = "status-update"
SPEECH = "speech-update"
TRANSCRIPT = "transcript"
# VAPI names the final ones apart where a client has subscribed to them alone.
FINAL_TRANSCRIPT = 'transcript[transcriptType="final"]'
MODEL_OUTPUT = "model-output"
CONVERSATION = "conversation-update"
INTERRUPTED = "user-interrupted"
TOOL_CALLS = "tool-calls"
TRANSFER = "transfer-update"
VOICE_INPUT = "voice-input"
HANG = "hang"
REPORT = "end-of-call-report"
METADATA = "metadata"

# In an event that is about what the assistant says, known to us or not.
_ABOUT_RESPONSE = ('"model-output"', '"voice-input"', '"tool-calls"', '"assistant"')


class Function(msgspec.Struct):
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw()
    parameters: msgspec.Raw = msgspec.Raw()


class ToolCall(msgspec.Struct):
    """One of three shapes: `function` has the name and the arguments, or they stand beside the id."""

    id: str = ""
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw()
    parameters: msgspec.Raw = msgspec.Raw()
    function: Function | None = None

    @property
    def tool_name(self) -> str:
        return self.name or (self.function.name if self.function else "")

    @property
    def arguments_json(self) -> str:
        """The arguments as JSON text, which VAPI sends as an object or as a string of JSON."""
        sources: Iterable[ToolCall | Function] = (self.function, self) if self.function else (self,)
        for source in sources:
            for raw in (source.arguments, source.parameters):
                if text := bytes(raw).strip():
                    return _unquoted(text)
        return "{}"


class VapiEvent(msgspec.Struct):
    """Every event that matters here: `type` says which fields do."""

    type: str = ""
    status: str = ""
    role: str = ""
    transcript: str = ""
    transcriptType: str = ""
    input: str = ""
    toolCallList: list[ToolCall] = []
    endedReason: str | None = None
    cost: int | float | None = None
    call_id: str = ""


# That they came is all that matters of these: nothing else of them is read.
_BARE = frozenset({STARTED, MODEL_OUTPUT, CONVERSATION, INTERRUPTED, TRANSFER, HANG, METADATA})


class _Head(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw()


_head = msgspec.json.Decoder(_Head)
_event = msgspec.json.Decoder(VapiEvent)
_text = msgspec.json.Decoder(str)


def parse_event(text: str, known: frozenset[str]) -> VapiEvent | None:
    """An event of a known type, which stands at the top or under `message`; None for the others, whatever they hold."""
    try:
        head = _head.decode(text)
        if not head.type and bytes(head.message).lstrip()[:1] == b"{":
            whole: str | bytes = bytes(head.message)
            kind = _head.decode(whole).type
        else:
            whole, kind = text, head.type
        if kind in _BARE:
            return VapiEvent(kind)
        return _event.decode(whole) if kind in known else None
    except NOT_JSON as exc:
        raise BadFrame from exc


def is_about_response(text: str) -> bool:
    head = text[:200]
    return any(word in head for word in _ABOUT_RESPONSE)


def _unquoted(raw: bytes) -> str:
    if not raw.startswith(b'"'):
        return raw.decode("utf-8", "replace")
    return _text.decode(raw) or "{}"


def created(call_id: str) -> str:
    return json.dumps({"type": CREATED, "call_id": call_id})


def ended(reason: str) -> str:
    """An event of VAPI's own, for an end that VAPI reported over REST alone."""
    return json.dumps({"type": STATUS, "status": "ended", "endedReason": reason})


def say(content: str, *, is_interruptible: bool) -> str:
    return json.dumps(
        {
            "type": "say",
            "content": content,
            "endCallAfterSpoken": False,
            "interruptionsEnabled": is_interruptible,
            "interruptAssistantEnabled": False,
        }
    )


def add_message(role: str, content: str, *, is_answered: bool) -> str:
    return json.dumps(
        {
            "type": "add-message",
            "message": {"role": role, "content": content},
            "triggerResponseEnabled": is_answered,
        }
    )


def replayed(past: Iterable[Past]) -> list[str]:
    """The conversation so far, as messages that are not answered."""
    frames: list[str] = []
    for entry in past:
        if isinstance(entry, PastLine):
            role = "user" if entry.speaker is Speaker.CALLER else "assistant"
            frames.append(add_message(role, entry.text, is_answered=False))
        elif entry.output is not None:
            used = f"You called {entry.name} with {entry.arguments}. It returned: {entry.output}"
            frames.append(add_message("system", used, is_answered=False))
    return frames


def say_first_message() -> str:
    """Another way to greet: the greeting is also the assistant's first message in this call."""
    return '{"type":"control","control":"say-first-message"}'


def end_call() -> str:
    return '{"type":"end-call"}'
