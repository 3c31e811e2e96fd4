"""What a call sends to the server URL: the messages to which the assistant subscribes, and the requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.webhooks import CallWebhooks, Server, timestamp

_FINAL = 'transcript[transcriptType="final"]'


class ServerMessages:
    """The URL is that of the tool, of the assistant, or of the organization, in this order."""

    def __init__(self, call: VapiCall, webhooks: CallWebhooks, org_server: Server | None) -> None:
        self._call, self.webhooks, self._org_server = call, webhooks, org_server
        self._wanted = call.settings.server_messages

    def of_tool(self, definition: Mapping[str, Any]) -> Server | None:
        server = definition.get("server") or {}
        return server if server.get("url") else self._server

    def describe(self, kind: str) -> dict[str, Any]:
        """The fields that all messages have."""
        call = self._call
        return {
            "type": kind, "timestamp": timestamp(), "call": call.shown(), "assistant": call.settings.assistant,
            "artifact": call.artifact(),
        }  # fmt: skip

    def report(self, kind: str, **fields: Any) -> None:
        """Queue a message whose response means nothing, if the assistant subscribes to it."""
        subscription = self._subscription(kind, fields)
        if subscription is not None and self._server is not None:
            self.webhooks.report(self._server, {**self.describe(subscription), **fields})

    async def request(self, kind: str, *, timeout_s: float | None = None) -> dict[str, Any] | None:
        if self._server is None:
            return None
        return await self.webhooks.request(self._server, self.describe(kind), timeout_s=timeout_s)

    async def send_report(self, fields: Mapping[str, Any]) -> None:
        """Send the end-of-call report now and wait until it is delivered."""
        if self._server is not None and "end-of-call-report" in self._wanted:
            await self.webhooks.request(self._server, {**self.describe("end-of-call-report"), **fields})

    @property
    def _server(self) -> Server | None:
        server = self._call.settings.assistant.get("server") or {}
        return server if server.get("url") else self._org_server

    def _subscription(self, kind: str, fields: Mapping[str, Any]) -> str | None:
        """The type under which the assistant gets this message."""
        if kind in self._wanted:
            return kind
        is_final = kind == "transcript" and fields.get("transcriptType") == "final"
        return _FINAL if is_final and _FINAL in self._wanted else None
