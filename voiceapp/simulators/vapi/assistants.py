"""The assistants of the simulated organization, and the settings of a call: an assistant with overrides."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from voiceapp.simulators.vapi.dto import DEFAULT_CLIENT_MESSAGES, DEFAULT_SERVER_MESSAGES
from voiceapp.simulators.vapi.errors import not_found

_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def now() -> str:
    """As VAPI writes times: UTC with milliseconds and `Z`."""
    return iso(dt.datetime.now(dt.UTC))


def iso(at: dt.datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Assistants:
    """`by_id`: assistants as the API shows them."""

    org_id: str
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create(self, body: Mapping[str, Any], *, assistant_id: str = "") -> dict[str, Any]:
        created_at = now()
        shown = {
            "id": assistant_id or str(uuid4()), "orgId": self.org_id, "createdAt": created_at, "updatedAt": created_at,
            **_without_nulls(body), "isServerUrlSecretSet": bool((body.get("server") or {}).get("secret")),
        }  # fmt: skip
        self.by_id[shown["id"]] = shown
        return shown

    def get(self, assistant_id: str) -> dict[str, Any]:
        """Raises VapiError."""
        if assistant_id not in self.by_id:
            raise not_found("Assistant", assistant_id)
        return self.by_id[assistant_id]

    def update(self, assistant_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Each field of the body replaces that of the assistant; a null removes it."""
        merged = _without_nulls({**self.get(assistant_id), **body, "updatedAt": now()})
        self.by_id[assistant_id] = merged
        return merged

    def delete(self, assistant_id: str) -> dict[str, Any]:
        shown = self.get(assistant_id)
        del self.by_id[assistant_id]
        return shown

    def newest(self) -> list[dict[str, Any]]:
        return sorted(self.by_id.values(), key=lambda shown: str(shown["createdAt"]), reverse=True)


@dataclass(frozen=True, slots=True)
class CallSettings:
    """An assistant as one call uses it: overridden, its variables filled in."""

    assistant: dict[str, Any]
    variables: dict[str, Any]

    @classmethod
    def of(cls, assistant: Mapping[str, Any], overrides: Mapping[str, Any] | None) -> CallSettings:
        changes = dict(overrides or {})
        variables = changes.pop("variableValues", None) or {}
        added_tools = changes.pop("tools:append", None) or []
        merged = {**assistant, **_without_nulls(changes)}
        if added_tools:
            model = dict(merged.get("model") or {})
            merged["model"] = {**model, "tools": [*(model.get("tools") or []), *added_tools]}
        return cls(_filled(merged, variables), variables)

    @property
    def instructions(self) -> str:
        """The system messages of the model."""
        messages = (self.assistant.get("model") or {}).get("messages") or []
        return "\n\n".join(str(each.get("content") or "") for each in messages if each.get("role") == "system")

    @property
    def tools(self) -> list[dict[str, Any]]:
        return list((self.assistant.get("model") or {}).get("tools") or [])

    @property
    def first_message(self) -> str:
        return str(self.assistant.get("firstMessage") or "")

    @property
    def first_message_mode(self) -> str:
        return str(self.assistant.get("firstMessageMode") or "assistant-speaks-first")

    @property
    def client_messages(self) -> frozenset[str]:
        return _named(self.assistant.get("clientMessages"), DEFAULT_CLIENT_MESSAGES)

    @property
    def server_messages(self) -> frozenset[str]:
        return _named(self.assistant.get("serverMessages"), DEFAULT_SERVER_MESSAGES)

    @property
    def max_duration_s(self) -> float:
        return float(self.assistant.get("maxDurationSeconds") or 600)

    @property
    def voice(self) -> str:
        return str((self.assistant.get("voice") or {}).get("voiceId") or "")

    @property
    def pause_ms(self) -> int:
        """How long the caller must be silent before the assistant speaks."""
        wait_s = (self.assistant.get("startSpeakingPlan") or {}).get("waitSeconds", 0.4)
        return 100 + round(1000 * float(wait_s))

    def plan(self, name: str) -> dict[str, Any]:
        """One of the assistant's plans; empty if it has none."""
        return dict(self.assistant.get(name) or {})


def _named(given: Iterable[str] | None, default: Iterable[str]) -> frozenset[str]:
    return frozenset(default if given is None else given)


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replace `{{name}}` in every text; an unknown name becomes empty."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: str(variables.get(found[1], "")), value)
    if isinstance(value, dict):
        return {name: _filled(each, variables) for name, each in value.items()}
    return [_filled(each, variables) for each in value] if isinstance(value, list) else value
