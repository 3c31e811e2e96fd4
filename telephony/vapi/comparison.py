"""What differs between an agent and its assistant at VAPI, and who changed it since we last wrote it."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Objects of VAPI's that are compared field by field, so that a change of one keeps what was changed in another.
NESTED = frozenset({"model", "voice", "transcriber", "monitorPlan"})
ABSENT = "–"
LABELS = {
    "name": "name",
    "firstMessage": "greeting",
    "firstMessageInterruptionsEnabled": "greeting may be interrupted",
    "maxDurationSeconds": "maximum call duration (s)",
    "model.messages": "prompt",
    "model.tools": "tools",
    "model.provider": "provider of the model",
    "model.model": "model",
    "voice.provider": "provider of the voice",
    "voice.voiceId": "voice",
    "transcriber.provider": "provider of the transcriber",
    "transcriber.model": "transcriber",
    "transcriber.language": "language",
    "server": "server URL",
    "serverMessages": "messages to our server",
    "clientMessages": "messages on the socket",
    "metadata": "metadata",
}

Flat = dict[str, Any]


class Origin(enum.StrEnum):
    """Who changed a field since the last synchronization."""

    OURS = "ours"
    BY_HAND = "by hand"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Difference:
    """`ours` and `theirs` are texts for people, without secrets."""

    path: str
    origin: Origin
    ours: str
    theirs: str

    @property
    def label(self) -> str:
        return LABELS.get(self.path, self.path)


def flatten(fields: Mapping[str, Any]) -> Flat:
    """By path, like `model.tools`; in the form that a database returns, and with a hash in the place of each secret."""
    flat: Flat = {}
    for name, value in fields.items():
        if name in NESTED and isinstance(value, Mapping):
            flat |= {f"{name}.{key}": part for key, part in value.items()}
        elif name == "server" and isinstance(value, Mapping):
            flat[name] = _without_secrets(value)
        else:
            flat[name] = value
    return {path: json.loads(json.dumps(value, sort_keys=True)) for path, value in flat.items() if value is not None}


def differences(*, ours: Flat, theirs: Flat, sent: Flat, returned: Flat) -> tuple[Difference, ...]:
    """Of the fields that we decide on. `sent` and `returned`: what we last wrote, and what VAPI made of it.

    A field is changed at VAPI if it is not as VAPI returned it then: VAPI may add to what it is sent.
    """
    found = []
    for path, value in ours.items():
        there = theirs.get(path)
        if there == value:
            continue
        is_ours = path not in sent or sent[path] != value
        is_theirs = path not in returned or returned[path] != there
        if is_ours or is_theirs:
            origin = Origin.BOTH if is_ours and is_theirs else Origin.OURS if is_ours else Origin.BY_HAND
            found.append(Difference(path, origin, text_of(path, value), text_of(path, there)))
    return tuple(found)


def merged(paths: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The body that changes these paths and nothing beside them: VAPI replaces whole objects."""
    body: dict[str, Any] = {}
    for path, value in paths.items():
        name, _, key = path.partition(".")
        if not key:
            body[name] = value
            continue
        there = theirs.get(name)
        body.setdefault(name, dict(there) if isinstance(there, Mapping) else {})[key] = value
    return body


def text_of(path: str, value: Any) -> str:
    """As a person reads it: a prompt as text, a tool by its name and description, the rest as JSON."""
    if value is None or value == []:
        return ABSENT
    if isinstance(value, str):
        return value
    if path == "model.messages" and isinstance(value, list):
        return "\n\n".join(str(each.get("content") or "") for each in value if isinstance(each, Mapping))
    if path == "model.tools" and isinstance(value, list):
        return "\n".join(_tool_text(each) for each in value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def _tool_text(tool: Any) -> str:
    return json.dumps(tool, sort_keys=True, ensure_ascii=False)


def _without_secrets(server: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(server)
    if isinstance(headers := server.get("headers"), Mapping):
        shown["headers"] = {str(name).lower(): _hash(value) for name, value in headers.items()}
    if "secret" in server:
        shown["secret"] = _hash(server["secret"])
    return shown


def _hash(secret: object) -> str:
    return f"sha256:{hashlib.sha256(str(secret).encode()).hexdigest()[:16]}"
