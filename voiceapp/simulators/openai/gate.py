"""Who may do what: API keys, client secrets, models, and the faults that refuse."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from voiceapp.simulators.openai.client_secrets import ClientSecret, ClientSecrets
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.http_errors import BETA, error_with_status


class Gate:
    """`keys`: accepted API keys. Client secrets are keys for sessions and calls alone."""

    def __init__(self, keys: frozenset[str], models: frozenset[str]) -> None:
        self._keys, self._models = keys, models
        self.secrets = ClientSecrets(models)
        self._attempts: Counter[str] = Counter()

    def rejection(self, request: web.Request, faults: OpenAIFaults, *, of_secrets: bool = False) -> web.Response | None:
        """The error that this request gets, None if it may go on. `of_secrets`: a client secret will do."""
        self._attempts[faults.key] += 1
        if "flaky" in faults and self._attempts[faults.key] <= faults.number("flaky"):
            return error_with_status(503)
        if "refuse" in faults:
            return error_with_status(faults.number("refuse"))
        is_known = key_of(request) in self._keys or (of_secrets and self.secret_of(request) is not None)
        return None if is_known else error_with_status(401)

    def secret_of(self, request: web.Request) -> ClientSecret | None:
        return self.secrets.find(key_of(request))

    def model_of(self, request: web.Request) -> str | None:
        secret = self.secret_of(request)
        return request.query.get("model", secret.model if secret is not None else None)

    def error_of(self, request: web.Request) -> tuple[str, str] | None:
        """The code and message of what is wrong with a connection."""
        return BETA if "OpenAI-Beta" in request.headers else self.error_of_model(self.model_of(request))

    def error_of_model(self, model: str | None) -> tuple[str, str] | None:
        if model is None:
            return "missing_model", "You must provide a model parameter."
        if model not in self._models:
            return "model_not_found", f"The model `{model}` does not exist or you do not have access to it."
        return None


def key_of(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        name, _, key = protocol.strip().partition("openai-insecure-api-key.")
        if not name and key:
            return key
    return ""
