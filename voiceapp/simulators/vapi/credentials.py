"""How a webhook proves that it is VAPI's: a plain secret, a bearer token, or an HMAC signature (protocols.md, C4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from voiceapp.simulators.vapi.assistants import now
from voiceapp.simulators.vapi.errors import VapiError, not_found
from voiceapp.simulators.vapi.schema import Shape, boolean, one_of, text

ALGORITHMS = ("sha256", "sha512", "sha1")
_PLANS = {
    "bearer": Shape({"type": text(), "token": text()}, {"headerName": text(), "bearerPrefixEnabled": boolean}),
    "hmac": Shape({"type": text(), "secretKey": text(), "algorithm": one_of(*ALGORITHMS)}, {
        "signatureHeader": text(), "timestampHeader": text(), "signaturePrefix": text(), "includeTimestamp": boolean,
        "payloadFormat": text(), "messageIdHeader": text(), "signatureEncoding": one_of("hex", "base64"),
        "secretIsBase64": boolean,
    }),
}  # fmt: skip
_credential = Shape({
    "provider": one_of("webhook", "custom-credential"),
    "authenticationPlan": Shape({"type": one_of(*_PLANS)}, is_open=True),
}, {"name": text(longest=40)})  # fmt: skip


@dataclass(slots=True)
class Credentials:
    org_id: str
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create(self, body: Any) -> dict[str, Any]:
        """The body of `POST /credential`; the response never has the secret. Raises VapiError."""
        problems = _credential(body, "")
        if not problems:
            plan = body["authenticationPlan"]
            problems = _PLANS[plan["type"]](plan, "authenticationPlan")
        if problems:
            raise VapiError(400, problems)
        at = now()
        credential = {"id": str(uuid4()), "orgId": self.org_id, "createdAt": at, "updatedAt": at, **body}
        self.by_id[credential["id"]] = credential
        return {key: value for key, value in credential.items() if key != "authenticationPlan"}

    def delete(self, credential_id: str) -> dict[str, Any]:
        if credential_id not in self.by_id:
            raise not_found("Credential", credential_id)
        removed = self.by_id.pop(credential_id)
        return {key: value for key, value in removed.items() if key != "authenticationPlan"}

    def headers(self, server: Mapping[str, Any], url: str, body: bytes, *, is_forged: bool = False) -> dict[str, str]:
        """The headers of a webhook to this server; a forged one has a wrong secret."""
        headers: dict[str, str] = {}
        if secret := server.get("secret"):
            headers["X-Vapi-Secret"] = _spoiled(str(secret), is_forged)
        credential = self.by_id.get(str(server.get("credentialId")))
        if credential is not None:
            plan = credential["authenticationPlan"]
            headers |= _bearer(plan, is_forged) if plan["type"] == "bearer" else _hmac(plan, url, body, is_forged)
        # A header of the server's settings comes before that of its credential.
        given = {str(name): str(value) for name, value in (server.get("headers") or {}).items()}
        return headers | ({name: _spoiled(value, is_forged) for name, value in given.items()})


def _spoiled(secret: str, is_forged: bool) -> str:
    return f"{secret}-wrong" if is_forged else secret


def _bearer(plan: Mapping[str, Any], is_forged: bool) -> dict[str, str]:
    prefix = "Bearer " if plan.get("bearerPrefixEnabled", True) else ""
    return {plan.get("headerName") or "Authorization": f"{prefix}{_spoiled(str(plan['token']), is_forged)}"}


def _hmac(plan: Mapping[str, Any], url: str, body: bytes, is_forged: bool) -> dict[str, str]:
    has_time = plan.get("includeTimestamp", True)
    timestamp, message_id = str(round(time.time() * 1000)), str(uuid4())
    layout = plan.get("payloadFormat") or ("{timestamp}.{body}" if has_time else "{body}")
    values = {"{timestamp}": timestamp, "{method}": "POST", "{url}": url, "{svix-id}": message_id}
    for name, value in values.items():
        layout = layout.replace(name, value)
    payload = layout.encode().replace(b"{body}", body)
    secret = _spoiled(str(plan["secretKey"]), is_forged)
    key = base64.b64decode(secret) if plan.get("secretIsBase64") and not is_forged else secret.encode()
    digest = hmac.new(key, payload, getattr(hashlib, str(plan["algorithm"])))
    is_base64 = plan.get("signatureEncoding") == "base64"
    written = base64.b64encode(digest.digest()).decode() if is_base64 else digest.hexdigest()
    headers = {plan.get("signatureHeader") or "x-signature": f"{plan.get('signaturePrefix') or ''}{written}"}
    if has_time:
        headers[plan.get("timestampHeader") or "x-timestamp"] = timestamp
    if plan.get("messageIdHeader"):
        headers[str(plan["messageIdHeader"])] = message_id
    return headers
