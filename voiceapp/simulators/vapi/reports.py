"""What a call reports to the client and to the server URL, as far as they subscribe to it."""

from __future__ import annotations

from typing import Any

from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.client_socket import ClientSocket
from voiceapp.simulators.vapi.server_messages import ServerMessages


class CallReports:
    def __init__(self, call: VapiCall, socket: ClientSocket, server: ServerMessages) -> None:
        self._call, self._socket, self._server = call, socket, server

    def emit(self, kind: str, **fields: Any) -> None:
        if kind != "tool-calls":  # the server gets these as requests, from the runner of tools
            self._server.report(kind, **fields)
        self._socket.event(kind, **fields)

    def conversation(self) -> None:
        """The whole conversation, after something was added to it."""
        transcript = self._call.transcript
        self.emit("conversation-update", messages=transcript.messages, messagesOpenAIFormatted=transcript.formatted)

    async def ending(self) -> None:
        """The status and the report of a call that is over, then the close of its socket."""
        call = self._call
        self.emit("status-update", status="ended", endedReason=call.ended_reason)
        if "no_report" not in call.faults:
            if "report_first" in call.faults:
                await self._server.send_report(call.report())
            self._socket.event("end-of-call-report", **call.report())
        self._socket.close(1000)

    def after_close(self) -> None:
        """Send the end-of-call report to the server, after the socket is closed."""
        if not {"no_report", "report_first"} & set(self._call.faults.chosen):
            self._server.report("end-of-call-report", **self._call.report())
