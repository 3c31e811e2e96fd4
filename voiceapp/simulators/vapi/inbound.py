"""A call to a number that VAPI owns: the server is requested to name the assistant (protocols.md, C3).

No telephone is simulated: the call is created as the server says, and no caller speaks in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from voiceapp.simulators.vapi.account import VapiAccount
from voiceapp.simulators.vapi.assistants import now
from voiceapp.simulators.vapi.errors import VapiError
from voiceapp.simulators.vapi.faults import VapiFaults
from voiceapp.simulators.vapi.webhooks import WebhookSender, timestamp

RESPONSE_WITHIN_S = 7.5


async def receive_call(
    account: VapiAccount, sender: WebhookSender, body: Mapping[str, Any], faults: VapiFaults
) -> dict[str, Any]:
    """`{"server"?: {"url": …}, "customer"?: {"number": …}, "phoneNumber"?: {…}}` → the call. Raises VapiError."""
    server = body.get("server") or account.server
    if not server or not server.get("url"):
        raise VapiError(400, ["server.url must be a string"])
    at = now()
    call: dict[str, Any] = {
        "id": str(uuid4()), "orgId": account.org_id, "type": "inboundPhoneCall", "status": "ringing", "createdAt": at,
        "updatedAt": at, "customer": body.get("customer") or {}, "phoneCallProvider": "vapi",
    }  # fmt: skip
    message = {"type": "assistant-request", "timestamp": timestamp(), "call": call}
    message |= {key: body[key] for key in ("customer", "phoneNumber") if key in body}
    response = await sender.send(server, message, faults, timeout_s=RESPONSE_WITHIN_S)
    return {**call, **_outcome(account, response)}


def _outcome(account: VapiAccount, response: Mapping[str, Any] | None) -> dict[str, Any]:
    """What becomes of the call; a destination comes before everything else."""
    if response is None:
        return {"status": "ended", "endedReason": "assistant-request-failed"}
    if destination := response.get("destination"):
        return {"status": "forwarding", "destination": destination}
    if error := response.get("error"):
        return {"status": "ended", "endedReason": "assistant-request-returned-error", "endedMessage": str(error)}
    if isinstance(response.get("assistant"), dict):
        return {"status": "queued", "assistant": response["assistant"], **_overrides(response)}
    if response.get("assistantId") in account.assistants.by_id:
        return {"status": "queued", "assistantId": response["assistantId"], **_overrides(response)}
    reason = "invalid-assistant" if response.get("assistantId") else "no-assistant"
    return {"status": "ended", "endedReason": f"assistant-request-returned-{reason}"}


def _overrides(response: Mapping[str, Any]) -> dict[str, Any]:
    return {key: response[key] for key in ("assistantOverrides",) if key in response}
