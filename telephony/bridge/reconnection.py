"""One agent over several sessions: each new one is told what was said, and picks up what the caller is owed."""

from __future__ import annotations

from sessions.calls.briefing import Briefing

from .actions import LinkLoss
from .alarms import Alarm, Alarms
from .answer_owed import AnswerOwed
from .link_keeper import LinkKeeper
from .ports import AgentLine
from .speech import Purpose
from .timeline import Timeline
from .transcript import Transcript


class Reconnection:
    """Between `lost` and `ready` there is no session; the link keeper says how long that may last."""

    def __init__(
        self, briefing: Briefing, *, agent: AgentLine, transcript: Transcript, alarms: Alarms, timeline: Timeline
    ) -> None:
        self._phrases = briefing.phrases
        self._roll_over_after_ms = briefing.limits.roll_over_after_ms
        self._agent = agent
        self._transcript = transcript
        self._alarms = alarms
        self._timeline = timeline
        self._was_ready = False
        self.owed = AnswerOwed()
        self.link = LinkKeeper(alarms, timeline.act)

    def ready(self, now_ms: int, *, are_tools_running: bool) -> None:
        was_ready, self._was_ready = self._was_ready, True
        self.link.ready(now_ms)
        self._alarms.set(Alarm.ROLL_OVER, now_ms + self._roll_over_after_ms)
        self._timeline.happened("agent_resumed" if was_ready else "agent_ready")
        if was_ready:
            self._agent.replay(self._transcript.past())
        lost_turn = self.owed.settle()
        if not self._transcript.has_agent_spoken and self._phrases.greeting:
            self._agent.respond(Purpose.GREETING, self._phrases.greeting)
        elif lost_turn is not None and not are_tools_running:
            if lost_turn and not self._transcript.is_known(lost_turn):
                self._agent.respond(Purpose.MISSED, self._phrases.missed)
            else:
                self._agent.respond(Purpose.ANSWER)
        self._agent.let_caller_in()

    def lost(self, now_ms: int, loss: LinkLoss, *, was_speaking: bool) -> bool:
        """Returns whether another link is worth waiting for."""
        self._timeline.happened("agent_lost", code=loss.code, reason=loss.reason[:80], wait_ms=loss.wait_ms)
        self.owed.link_lost(was_due=self._agent.is_ready and self._agent.is_due, was_speaking=was_speaking)
        self._agent.link_closed()
        self._alarms.cancel(Alarm.ANSWER, Alarm.STALL, Alarm.ROLL_OVER)
        return not loss.is_fatal and self.link.lost(now_ms, wait_ms=loss.wait_ms)

    def took_too_long(self, now_ms: int) -> bool:
        """A link could not be opened, or its session was not ready in time. Returns whether another is worth it."""
        self._agent.link_closed()
        return self.link.try_took_too_long(now_ms)

    def renew(self, now_ms: int) -> None:
        """Before the provider ends the session, at a moment when nobody notices."""
        self._timeline.happened("session_renewed")
        self._agent.link_closed()
        self.link.renew(now_ms)
