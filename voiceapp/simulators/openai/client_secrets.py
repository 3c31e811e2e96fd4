"""`POST /v1/realtime/client_secrets`: short-lived keys, each with its session settings (protocols.md, B2)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voiceapp.simulators.openai.ids import new_id
from voiceapp.simulators.openai.schema import InvalidRequest, Shape, anything, number, one_of, wrong_type
from voiceapp.simulators.openai.session_state import merged, new_session
from voiceapp.simulators.openai.validation import check_session

DEFAULT_MODEL = "gpt-realtime"
DEFAULT_LIFETIME_S = 600
_request = Shape({}, {
    "expires_after": Shape({}, {"anchor": one_of("created_at"), "seconds": number(10, 7200, whole=True)}),
    "session": anything,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """`settings`: the session of the request; the client that opens it may change it."""

    value: str
    expires_at: int
    model: str
    settings: Mapping[str, Any]

    @property
    def is_live(self) -> bool:
        return time.time() < self.expires_at


@dataclass(slots=True)
class ClientSecrets:
    """A secret opens any number of sessions until it expires."""

    models: frozenset[str]
    _by_value: dict[str, ClientSecret] = field(default_factory=dict)

    def find(self, value: str) -> ClientSecret | None:
        """A secret that has not expired."""
        secret = self._by_value.get(value)
        return secret if secret is not None and secret.is_live else None

    def mint(self, body: bytes) -> dict[str, Any]:
        """The body of the response. Raises InvalidRequest."""
        request = _read(body)
        settings = request.get("session", {"type": "realtime"})
        model = settings.get("model", DEFAULT_MODEL)
        if model not in self.models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise InvalidRequest("model_not_found", message, "session.model")
        lifetime_s = request.get("expires_after", {}).get("seconds", DEFAULT_LIFETIME_S)
        secret = ClientSecret(new_id("ek"), int(time.time()) + lifetime_s, model, settings)
        self._by_value = {value: kept for value, kept in self._by_value.items() if kept.is_live}
        self._by_value[secret.value] = secret
        session = merged(new_session(session_id=new_id("sess"), model=model, expires_at=0), dict(settings))
        return {"value": secret.value, "expires_at": secret.expires_at, "session": session}


def _read(body: bytes) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError) as exc:
        message = "We could not parse the JSON body of your request."
        raise InvalidRequest("invalid_json", message) from exc
    if not isinstance(request, dict):
        raise wrong_type(request, "body", "an object")
    _request(request, "")
    if "session" in request:
        check_session(request["session"])
    return request
