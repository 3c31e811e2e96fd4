"""The tools of a call: they run one after the other, in the order of the model's requests; those that only read may run
beside each other."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.calls.briefing import Briefing
from sessions.calls.outcomes import NOT_FINISHED, NOT_FOUND_OUT, NOT_RUN, ToolResult

from .actions import RunTool, Timeline
from .alarms import Alarm, Alarms
from .transcript import Transcript


@dataclass(slots=True)
class QueuedTool:
    """`ends_at_ms` is None while it waits. `speeches` counts how often the caller had begun to speak when it was
    requested."""

    run: RunTool
    only_reads: bool
    speeches: int
    ends_at_ms: int | None = None


class ToolQueue:
    """Of one call, across its responses and sessions."""

    __slots__ = ("_tools",)

    def __init__(self) -> None:
        self._tools: dict[str, QueuedTool] = {}  # in the order of the requests

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
        """Tools that may begin now: nothing is queued before them, or they only read and so do all before them."""
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


# Tools that are out of time and have still not ended. Each holds a thread that other calls need.
MOST_STUCK = 2


@dataclass(frozen=True, slots=True)
class EndedTool:
    """`was_quiet`: the caller has not spoken since the tool was requested."""

    request_id: str
    result: ToolResult
    was_quiet: bool


class RunningTools:
    """The alarm FILLER goes off when the first of them has been slow, TOOL when one is out of time."""

    __slots__ = (
        "_alarms",
        "_limits",
        "_names",
        "_queue",
        "_readers",
        "_speeches",
        "_stuck",
        "_timeline",
        "_transcript",
    )

    def __init__(self, briefing: Briefing, *, alarms: Alarms, transcript: Transcript, timeline: Timeline) -> None:
        self._limits = briefing.limits
        self._readers = briefing.reading_tools
        self._names = frozenset(tool["name"] for tool in briefing.tools)
        self._alarms = alarms
        self._transcript = transcript
        self._timeline = timeline
        self._queue = ToolQueue()
        self._stuck: dict[str, str] = {}
        self._speeches = 0

    def __bool__(self) -> bool:
        return bool(self._queue)

    def caller_spoke(self) -> None:
        self._speeches += 1

    def request(
        self, request_id: str, name: str, arguments: str, *, caller_turns: int, now_ms: int, at_ms: int
    ) -> EndedTool | None:
        """Queue a tool. Returns it with its refusal when too many of the call hang."""
        commits_within_ms = self._limits.tool_commits_within_ms
        tool = RunTool(request_id, name, arguments, caller_turns, commits_within_ms)
        queued = QueuedTool(tool, only_reads=name in self._readers, speeches=self._speeches)
        self._transcript.tool_requested(request_id, name, arguments, at_ms=at_ms)
        if len(self._stuck) >= MOST_STUCK:
            return self._skip(queued)
        self._queue.add(queued)
        self._go_on(now_ms)
        if Alarm.FILLER not in self._alarms:
            self._alarms.set(Alarm.FILLER, now_ms + self._limits.filler_after_ms)
        return None

    def finish(self, request_id: str, result: ToolResult, *, now_ms: int) -> EndedTool | None:
        """None when no running tool has this id: a tool that timed out already has its output."""
        if (name := self._stuck.pop(request_id, None)) is not None:
            self._timeline.happened("tool_ended_late", tool=name)
            return None
        tool = self._queue.take(request_id)
        if tool is None:
            return None
        self._go_on(now_ms)
        return self._end(tool, result)

    def give_up(self, now_ms: int) -> list[EndedTool]:
        """End what is out of time, in order. What waits behind a write that hangs was requested by an agent that relied
        on it: it is not run. What only reads is."""
        ended = []
        for tool in self._queue.overdue(now_ms):
            request_id = tool.run.tool_call_id
            self._queue.take(request_id)
            self._stuck[request_id] = self.shown(tool.run.name)
            self._timeline.happened("tool_timed_out", tool=self.shown(tool.run.name))
            ended.append(self._end(tool, NOT_FOUND_OUT if tool.only_reads else NOT_FINISHED))
            if not tool.only_reads:
                ended += [self._skip(waiting) for waiting in self._queue.take_waiting(writers_only=True)]
        self._go_on(now_ms)
        return ended

    def take_waiting(self) -> list[RunTool]:
        """The call is over: tools that were requested and have not begun."""
        return [tool.run for tool in self._queue.take_waiting()]

    def _skip(self, tool: QueuedTool) -> EndedTool:
        self._timeline.happened("tool_not_run", tool=self.shown(tool.run.name))
        return self._end(tool, NOT_RUN)

    def _end(self, tool: QueuedTool, result: ToolResult) -> EndedTool:
        request_id = tool.run.tool_call_id
        self._transcript.tool_answered(request_id, result.output)
        if not self._queue:
            self._alarms.cancel(Alarm.FILLER)
        return EndedTool(request_id, result, was_quiet=tool.speeches == self._speeches)

    def _go_on(self, now_ms: int) -> None:
        for run in self._queue.start(ends_at_ms=now_ms + self._limits.tool_ends_within_ms):
            self._timeline.act(run)
        if (next_end_ms := self._queue.next_end_ms) is None:
            self._alarms.cancel(Alarm.TOOL)
        else:
            self._alarms.set(Alarm.TOOL, next_end_ms)

    def shown(self, name: str) -> str:
        """A name that the model invented is not kept."""
        return name if name in self._names else "unknown"
