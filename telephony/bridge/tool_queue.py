"""The order in which a call's tools run: one after the other as the model asked for them; those that only read may run
beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from .actions import RunTool


@dataclass(slots=True)
class QueuedTool:
    """`ends_at_ms` is None while it waits. `speeches` counts how often the caller had begun to speak when it was
    asked for."""

    run: RunTool
    only_reads: bool
    speeches: int
    ends_at_ms: int | None = None


class ToolQueue:
    """Of one call, across its responses and sessions."""

    def __init__(self) -> None:
        self._tools: dict[str, QueuedTool] = {}  # in the order asked for

    def __len__(self) -> int:
        return len(self._tools)

    @property
    def next_end_ms(self) -> int | None:
        """When the first of the running tools is out of time."""
        return min((tool.ends_at_ms for tool in self._tools.values() if tool.ends_at_ms is not None), default=None)

    def add(self, tool: QueuedTool) -> None:
        self._tools[tool.run.tool_call_id] = tool

    def take(self, request_id: str) -> QueuedTool | None:
        """Remove a tool that runs; None when there is none of this id."""
        tool = self._tools.get(request_id)
        return self._tools.pop(request_id) if tool is not None and tool.ends_at_ms is not None else None

    def start(self, *, ends_at_ms: int) -> list[RunTool]:
        """Those that may begin now: they have no one in front of them, or read and have only readers in front."""
        started = []
        for place, tool in enumerate(self._tools.values()):
            if place and not tool.only_reads:
                break
            if tool.ends_at_ms is None:
                tool.ends_at_ms = ends_at_ms
                started.append(tool.run)
            if not tool.only_reads:
                break
        return started

    def overdue(self, now_ms: int) -> list[QueuedTool]:
        """The running tools that are out of time."""
        return [tool for tool in self._tools.values() if tool.ends_at_ms is not None and tool.ends_at_ms <= now_ms]

    def take_waiting(self, *, writers_only: bool = False) -> list[QueuedTool]:
        """Remove tools that have not begun, in order."""
        waiting = [
            tool for tool in self._tools.values() if tool.ends_at_ms is None and not (writers_only and tool.only_reads)
        ]
        for tool in waiting:
            del self._tools[tool.run.tool_call_id]
        return waiting
