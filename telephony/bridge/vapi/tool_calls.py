"""Tool calls of the assistant: they run at our server URL, and the socket reports them (docs/explanation/vapi.md)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sessions.calls.short_ids import short_id
from telephony.bridge.core.events import AgentEvent, Complaint, ToolRequested

from .frames import ToolCall

LONGEST_ID = 64


class ToolCalls:
    """`names`: of the tools that run at our server URL."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._seen: set[str] = set()
        self._running: set[str] = set()

    @property
    def are_running(self) -> bool:
        return bool(self._running)

    def requested(self, calls: Sequence[ToolCall]) -> list[AgentEvent]:
        """An event for each that was not seen before: VAPI may repeat them."""
        found: list[AgentEvent] = []
        for call in calls:
            request_id = short_id(call.id, longest=LONGEST_ID)
            if not request_id or request_id in self._seen:
                continue
            self._seen.add(request_id)
            if call.tool_name in self._names:
                self._running.add(request_id)
                found.append(ToolRequested(request_id, call.tool_name, call.arguments_json))
            else:  # VAPI's own, or one of a server that is not ours
                found.append(Complaint("tool_elsewhere", ""))
        return found

    def finished(self, request_id: str) -> None:
        self._running.discard(request_id)

    def link_closed(self) -> None:
        self._running.clear()
