"""`POST /v1/realtime/client_secrets`: short-lived keys, each with the session that it opens (protocols.md, B2)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voiceapp.simulators.openai.ids import new_id
from voiceapp.simulators.openai.schema import Refused, Shape, anything, number, one_of, wrong_type
from voiceapp.simulators.openai.session_object import merged, new_session
from voiceapp.simulators.openai.validation import check_session

DEFAULT_MODEL = "gpt-realtime"
LIFE_S = 600
_request = Shape({}, {
    "expires_after": Shape({}, {"anchor": one_of("created_at"), "seconds": number(10, 7200, whole=True)}),
    "session": anything,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Secret:
    """`settings`: the session as it was asked for; whoever opens it may change it."""

    value: str
    expires_at: int
    model: str
    settings: Mapping[str, Any]

    @property
    def is_live(self) -> bool:
        return time.time() < self.expires_at


@dataclass(slots=True)
class Secrets:
    """Those that were minted here. One opens any number of sessions until it expires."""

    models: frozenset[str]
    _by_value: dict[str, Secret] = field(default_factory=dict)

    def find(self, value: str) -> Secret | None:
        """A secret that has not expired."""
        secret = self._by_value.get(value)
        return secret if secret is not None and secret.is_live else None

    def mint(self, body: bytes) -> dict[str, Any]:
        """The answer to a request. Raises `Refused`."""
        asked = _read(body)
        settings = asked.get("session", {"type": "realtime"})
        model = settings.get("model", DEFAULT_MODEL)
        if model not in self.models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise Refused("model_not_found", message, "session.model")
        life_s = asked.get("expires_after", {}).get("seconds", LIFE_S)
        secret = Secret(new_id("ek"), int(time.time()) + life_s, model, settings)
        self._by_value = {value: kept for value, kept in self._by_value.items() if kept.is_live}
        self._by_value[secret.value] = secret
        session = merged(new_session(session_id=new_id("sess"), model=model, expires_at=0), dict(settings))
        return {"value": secret.value, "expires_at": secret.expires_at, "session": session}


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError) as exc:
        message = "We could not parse the JSON body of your request."
        raise Refused("invalid_json", message) from exc
    if not isinstance(asked, dict):
        raise wrong_type(asked, "body", "an object")
    _request(asked, "")
    if "session" in asked:
        check_session(asked["session"])
    return asked
