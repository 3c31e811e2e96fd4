"""The tools that are being run, and whether the caller has spoken since they were asked for."""

from __future__ import annotations

from sessions.briefing import CallLimits

from .actions import RunTool
from .alarms import Alarm, Alarms
from .timeline import Timeline
from .transcript import Transcript


class RunningTools:
    """The alarm FILLER goes off when the first of them has been slow."""

    def __init__(self, limits: CallLimits, *, alarms: Alarms, transcript: Transcript, timeline: Timeline) -> None:
        self._alarms = alarms
        self._transcript = transcript
        self._timeline = timeline
        self._filler_after_ms = limits.filler_after_ms
        self._speeches_at: dict[str, int] = {}
        self._speeches = 0

    def __bool__(self) -> bool:
        return bool(self._speeches_at)

    def caller_spoke(self) -> None:
        self._speeches += 1

    def ask(self, tool: RunTool, *, now_ms: int, at_ms: int) -> None:
        self._speeches_at[tool.tool_call_id] = self._speeches
        self._transcript.tool_asked(tool.tool_call_id, tool.name, tool.arguments, at_ms=at_ms)
        self._timeline.act(tool)
        if Alarm.FILLER not in self._alarms:
            self._alarms.set(Alarm.FILLER, now_ms + self._filler_after_ms)

    def finish(self, call_id: str, output: str) -> bool | None:
        """None: nobody waits for it. Otherwise whether the caller has been quiet since: who has spoken wants more."""
        speeches = self._speeches_at.pop(call_id, None)
        if speeches is None:
            return None
        self._transcript.tool_answered(call_id, output)
        if not self._speeches_at:
            self._alarms.cancel(Alarm.FILLER)
        return speeches == self._speeches
