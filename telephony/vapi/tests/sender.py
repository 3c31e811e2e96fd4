"""Posts to the product as VAPI does, with payloads in the shapes that VAPI documents (server-url/events, SDK types)."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from sessions.calls.models import Call

PATH = "/vapi/webhook"
SECRET = "the-secret-of-the-server-url-0123456789"
ORG_ID = "2c0fd4f5-7b1e-4f43-9a34-3e1a5b0b3f11"
_ids = itertools.count(1)


class VapiSender:
    """`call_id` is VAPI's. Each message has a time of its own, unless one is given."""

    def __init__(self, url: str, call: Call | None = None, *, call_id: str = "") -> None:
        self.url = url + PATH
        self.call = call
        self.call_id = call_id or f"0e3f6a1c-0000-4000-8000-{next(_ids):012d}"
        self._http = httpx.Client(trust_env=False, timeout=20)

    def close(self) -> None:
        self._http.close()

    def message(self, kind: str, **fields: Any) -> dict[str, Any]:
        named = {"callId": str(self.call.pk), "orgId": str(self.call.organization_id)} if self.call else {}
        control_url = f"https://aws-us-west-2-production1-phone-call-websocket.vapi.ai/{self.call_id}/control"
        return {
            "type": kind,
            "timestamp": int(time.time() * 1000) + next(_ids),
            "call": {
                "id": self.call_id,
                "orgId": ORG_ID,
                "type": "vapi.websocketCall",
                "status": "in-progress",
                "assistantOverrides": {"metadata": named},
                "monitor": {"controlUrl": control_url},
            },
            **fields,
        }

    def send(self, kind: str, **fields: Any) -> httpx.Response:
        return self.post({"message": self.message(kind, **fields)})

    def post(self, body: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.post_raw(json.dumps(body).encode(), headers)

    def post_raw(
        self, body: bytes, headers: Mapping[str, str] | None = None, content_type: str = "application/json"
    ) -> httpx.Response:
        given = {"X-Vapi-Secret": SECRET} if headers is None else dict(headers)
        return self._http.post(self.url, content=body, headers={"Content-Type": content_type, **given})

    def request(self, method: str) -> httpx.Response:
        return self._http.request(method, self.url, headers={"X-Vapi-Secret": SECRET})

    def use(self, name: str, *said: str, tool_call_id: str = "", **arguments: Any) -> dict[str, Any]:
        """The result of one tool, after this conversation (“u: yes”, “b: is that right?”)."""
        (result,) = self.use_all([(tool_call_id or f"call_{next(_ids)}", name, arguments)], *said)
        return result

    def use_all(self, calls: Sequence[tuple[str, str, Mapping[str, Any]]], *said: str) -> list[dict[str, Any]]:
        response = self.send("tool-calls", **tool_calls(calls), **artifact(*said))
        assert response.status_code == 200, response.text
        results: list[dict[str, Any]] = response.json()["results"]
        return results


def tool_calls(calls: Sequence[tuple[str, str, Mapping[str, Any]]]) -> dict[str, Any]:
    """As the SDK has them: the arguments are a text."""
    listed = [
        {"id": each, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for each, name, arguments in calls
    ]
    pairs = [
        {"type": "function", "function": {"name": name}, "toolCall": item}
        for item, (_, name, _) in zip(listed, calls, strict=True)
    ]
    return {"toolCallList": listed, "toolWithToolCallList": pairs}


def artifact(*said: str, **more: Any) -> dict[str, Any]:
    """“u: yes” is the caller's, “b: …” the agent's; the time of each is a second after the one before."""
    roles = {"u": "user", "b": "bot"}
    messages: list[dict[str, Any]] = [
        {"role": "system", "message": "You are Giulia.", "time": 1_700_000_000_000, "secondsFromStart": 0}
    ]
    for number, line in enumerate(said, 1):
        at_ms = 1_700_000_000_000 + number * 1000
        spoken = {"message": line[2:].strip(), "time": at_ms, "endTime": at_ms + 900, "duration": 900}
        messages.append({"role": roles[line[0]], **spoken, "secondsFromStart": number})
    formatted = [
        {"role": {"bot": "assistant"}.get(each["role"], each["role"]), "content": each["message"]} for each in messages
    ]
    return {"artifact": {"messages": messages, "messagesOpenAIFormatted": formatted, **more}}


def report(*said: str, **fields: Any) -> dict[str, Any]:
    """The fields of an end-of-call-report."""
    return {
        "endedReason": "customer-ended-call",
        "startedAt": "2026-11-28T10:00:00.000Z",
        "endedAt": "2026-11-28T10:01:30.500Z",
        "cost": 0.1234,
        "costs": [
            {"type": "model", "cost": 0.03, "promptTokens": 900, "completionTokens": 80, "model": {"model": "gpt-4.1"}},
            {"type": "voice", "cost": 0.05, "characters": 420, "voice": {"voiceId": "Elliot"}},
            {"type": "vapi", "subType": "normal", "cost": 0.0434, "minutes": 1.5},
        ],
        **artifact(
            *said,
            transcript="AI: Hello!\nUser: A pizza.\n",
            recordingUrl="https://storage.vapi.ai/mono.wav",
            stereoRecordingUrl="https://storage.vapi.ai/stereo.wav",
            recording={"stereoUrl": "https://storage.vapi.ai/stereo.wav",
                       "mono": {"combinedUrl": "https://storage.vapi.ai/mono.wav"}},
        ),
        "analysis": {"summary": "A pizza was ordered.", "successEvaluation": "true"},
        **fields,
    }  # fmt: skip
