"""The bodies of VAPI's REST API and of its control messages, as strictly as VAPI checks them (protocols.md, C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceapp.simulators.vapi.audio_format import FORMATS, SAMPLE_RATES
from voiceapp.simulators.vapi.errors import VapiError
from voiceapp.simulators.vapi.schema import (
    Check,
    Shape,
    an_object,
    anything,
    array,
    boolean,
    number,
    one_of,
    text,
    uuid,
)

CLIENT_MESSAGES = (
    "conversation-update", "assistant.speechStarted", "function-call", "function-call-result", "hang",
    "language-changed", "metadata", "model-output", "speech-update", "status-update", "transcript", "tool-calls",
    "tool-calls-result", "tool.completed", "transfer-update", "user-interrupted", "voice-input",
    "workflow.node.started", "assistant.started", "end-of-call-report",
)  # fmt: skip
SERVER_MESSAGES = (
    "assistant.started", "assistant.speechStarted", "conversation-update", "end-of-call-report", "function-call",
    "handoff-destination-request", "hang", "language-changed", "language-change-detected", "model-output",
    "phone-call-control", "speech-update", "status-update", "transcript", 'transcript[transcriptType="final"]',
    "tool-calls", "transfer-destination-request", "transfer-update", "user-interrupted", "voice-input",
)  # fmt: skip
DEFAULT_CLIENT_MESSAGES = (
    "conversation-update", "function-call", "hang", "model-output", "speech-update", "status-update",
    "transfer-update", "transcript", "tool-calls", "user-interrupted", "voice-input", "workflow.node.started",
    "assistant.started",
)  # fmt: skip
DEFAULT_SERVER_MESSAGES = (
    "conversation-update", "end-of-call-report", "function-call", "hang", "speech-update", "status-update",
    "tool-calls", "transfer-destination-request", "handoff-destination-request", "user-interrupted",
    "assistant.started",
)  # fmt: skip
FIRST_MESSAGE_MODES = (
    "assistant-speaks-first", "assistant-waits-for-user", "assistant-speaks-first-with-model-generated-message",
)  # fmt: skip
TOOL_TYPES = (
    "function", "transferCall", "endCall", "dtmf", "sms", "voicemail", "apiRequest", "handoff", "mcp", "code", "query",
    "google.calendar.availability.check", "google.calendar.event.create",
)  # fmt: skip

_server = Shape({}, {
    "url": text(), "timeoutSeconds": number(1, 300), "credentialId": text(), "secret": text(), "headers": an_object,
    "staticIpAddressesEnabled": boolean, "encryptedPaths": anything,
    "backoffPlan": Shape({"maxRetries": number(0, 10), "baseDelaySeconds": number(0, 10)},
                         {"type": anything, "excludedStatusCodes": anything}),
})  # fmt: skip
_function = Shape({"name": text(pattern="[a-zA-Z0-9_-]{1,64}")},
                  {"description": text(), "parameters": an_object, "strict": boolean})  # fmt: skip
_destination = Shape({"type": one_of("number", "sip", "assistant")}, is_open=True)
_tool_message = Shape(
    {"type": one_of("request-start", "request-complete", "request-failed", "request-response-delayed")}, is_open=True
)
_known_tool = Shape({"type": one_of(*TOOL_TYPES)}, {
    "function": _function, "server": _server, "async": boolean, "messages": array(_tool_message),
    "destinations": array(_destination), "strict": boolean,
}, is_open=True)  # fmt: skip


def _tool(value: Any, path: str) -> list[str]:
    problems = _known_tool(value, path)
    if isinstance(value, dict) and value.get("type") == "function" and not isinstance(value.get("function"), dict):
        problems.append(f"{path}.function must be an object")
    return problems


_model = Shape({"provider": text(), "model": text()}, {
    "messages": array(Shape({"role": one_of("system", "assistant", "user", "function", "tool", "developer")},
                            {"content": text()}, is_open=True)),
    "tools": array(_tool), "toolIds": array(text()), "temperature": number(0, 2), "maxTokens": number(50, 10000),
    "numFastTurns": number(0, 10), "emotionRecognitionEnabled": boolean,
}, is_open=True)  # fmt: skip
_provided = Shape({"provider": text()}, is_open=True)
_assistant_fields: dict[str, Check] = {
    "name": text(longest=40), "model": _model, "voice": _provided, "transcriber": _provided,
    "firstMessage": text(), "firstMessageMode": one_of(*FIRST_MESSAGE_MODES),
    "firstMessageInterruptionsEnabled": boolean, "voicemailDetection": anything, "voicemailMessage": text(longest=1000),
    "endCallMessage": text(longest=1000), "endCallPhrases": array(text(longest=140)),
    "clientMessages": array(one_of(*CLIENT_MESSAGES)), "serverMessages": array(one_of(*SERVER_MESSAGES)),
    "maxDurationSeconds": number(10, 43200), "backgroundSound": anything, "modelOutputInMessagesEnabled": boolean,
    "transportConfigurations": anything, "observabilityPlan": anything, "credentials": anything,
    "credentialIds": array(text()), "hooks": array(an_object), "compliancePlan": an_object, "metadata": an_object,
    "backgroundSpeechDenoisingPlan": an_object, "analysisPlan": an_object,
    "artifactPlan": Shape({}, {"recordingEnabled": boolean, "recordingFormat": one_of("wav;l16", "mp3")}, is_open=True),
    "startSpeakingPlan": an_object, "stopSpeakingPlan": an_object, "monitorPlan": an_object, "server": _server,
    "keypadInputPlan": an_object,
}  # fmt: skip
_assistant = Shape({}, _assistant_fields)
_overrides = Shape({}, {**_assistant_fields, "variableValues": an_object, "tools:append": array(_tool)})


_audio_format = Shape(
    {"format": one_of(*FORMATS)}, {"container": one_of("raw"), "sampleRate": number(8000, 48000)},
)  # fmt: skip
_transport = Shape(
    {"provider": one_of("vapi.websocket")},
    {"audioFormat": _audio_format, "conversationType": one_of("voice", "chat")},
)
_PHONE_FIELDS = ("phoneNumber", "phoneNumberId", "customer", "customerId", "customers")
_ASSISTANT_FIELDS = ("assistant", "assistantId", "squad", "squadId", "workflow", "workflowId")
_call = Shape({}, {
    "assistant": _assistant, "assistantId": uuid, "assistantOverrides": _overrides, "name": text(longest=40),
    "transport": _transport, "schedulePlan": anything,
    **dict.fromkeys(("squad", "squadId", "squadOverrides", "workflow", "workflowId", "workflowOverrides"), anything),
    **dict.fromkeys(_PHONE_FIELDS, anything),
})  # fmt: skip
_deletion = Shape({}, {"ids": array(uuid)})
_role_message = Shape({"role": text()}, {"content": text()}, is_open=True)
_controls: dict[str, Shape] = {
    "end-call": Shape({"type": anything}),
    "hangup": Shape({"type": anything}),
    "say": Shape({"type": anything, "content": text()}, {
        "endCallAfterSpoken": boolean, "interruptionsEnabled": boolean, "interruptAssistantEnabled": boolean,
    }),
    "add-message": Shape({"type": anything, "message": _role_message}, {"triggerResponseEnabled": boolean}),
    "control": Shape({"type": anything, "control": one_of(
        "mute-assistant", "unmute-assistant", "mute-customer", "unmute-customer", "say-first-message",
    )}, {"videoRecordingStartDelaySeconds": anything}),
    "transfer": Shape({"type": anything, "destination": _destination}, {"content": text()}),
    "handoff": Shape({"type": anything, "destination": an_object}, {"content": text()}),
    "append-context": Shape({"type": anything, "content": text()}, {"kind": text()}),
    "send-transport-message": Shape({"type": anything, "message": an_object}),
}  # fmt: skip


def check_assistant(body: Any) -> dict[str, Any]:
    """The body of `POST` and `PATCH /assistant`. Raises VapiError."""
    return _checked(body, _assistant(body, ""))


def check_call(body: Any) -> dict[str, Any]:
    """The body of `POST /call` for a websocket call. Raises VapiError."""
    problems = _call(body, "")
    if isinstance(body, dict):
        problems += _conflicts(body)
    return _checked(body, problems)


def check_deletion(body: Any) -> dict[str, Any]:
    """The body of `DELETE /call/{id}`. Raises VapiError."""
    return _checked(body, _deletion(body, ""))


def check_control(body: Any) -> dict[str, Any]:
    """A message of the client on the socket, or a body at the control URL. Raises VapiError."""
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise VapiError(400, ["type must be a string"])
    if body["type"] not in _controls:
        raise VapiError(400, [f"type must be one of the following values: {', '.join(_controls)}"])
    return _checked(body, _controls[body["type"]](body, ""))


def _conflicts(body: Mapping[str, Any]) -> list[str]:
    named = [name for name in _ASSISTANT_FIELDS if body.get(name) is not None]
    problems = []
    if not named:
        problems.append("Need either `assistant`, `assistantId`, `squad`, `squadId`, `workflow` or `workflowId`.")
    elif len(named) > 1:
        problems.append(f"Only one of {' or '.join(named)} may be given.")
    elif named[0] not in ("assistant", "assistantId"):
        problems.append(f"The simulator has no {named[0]}: use assistant or assistantId.")
    if not isinstance(body.get("transport"), dict):
        return [*problems, "transport must be an object: the simulator starts only websocket calls."]
    phone = [name for name in _PHONE_FIELDS if body.get(name) is not None]
    problems += [f"{name} must not exist with transport.provider vapi.websocket" for name in phone]
    given = body["transport"].get("audioFormat")
    if isinstance(given, dict) and isinstance(given.get("sampleRate"), (int, float)):
        rates = SAMPLE_RATES.get(str(given.get("format")), ())
        if rates and given["sampleRate"] not in rates:
            listed = " or ".join(map(str, rates))
            problems.append(f"transport.audioFormat.sampleRate: the simulator converts only {listed}")
    return problems


def _checked(body: Any, problems: list[str]) -> dict[str, Any]:
    if problems:
        raise VapiError(400, problems)
    checked: dict[str, Any] = body
    return checked
