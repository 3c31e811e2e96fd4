"""The link to the provider over several sessions: opening, retries, and the answer that a new session continues."""

from __future__ import annotations

from collections.abc import Callable

from sessions.calls.briefing import Briefing

from .actions import CloseLink, FailOver, LinkLoss, OpenLink, Timeline
from .alarms import TICK_MS, Alarm, Alarms
from .events import Purpose
from .ports import AgentDialect
from .transcript import Transcript


class PendingAnswer:
    """`turn` is the item of the caller's last turn as long as it has no answer."""

    __slots__ = (
        "_lost_speech",
        "_turn",
        "is_pending",
    )

    def __init__(self) -> None:
        self.is_pending = False
        self._turn = ""
        self._lost_speech = False

    def turn_committed(self, item_id: str) -> None:
        self._turn = item_id

    def answered(self) -> None:
        self._turn = ""

    def link_lost(self, *, was_due: bool, was_speaking: bool) -> None:
        self.is_pending |= was_due or was_speaking
        self._lost_speech |= was_speaking

    def settle(self) -> str | None:
        """A new session is ready. None: no answer is pending. Otherwise the item of the turn that only the old session
        heard; empty when there is none."""
        turn = "(spoken into the gap)" if self._lost_speech else self._turn
        is_pending, self.is_pending, self._lost_speech = self.is_pending, False, False
        return turn if is_pending else None


TRIES = 2
FIRST_MS = 6_000
AGAIN_MS = 4_000
# The one try of a provider that has a stand-in: with it, somebody speaks within 3 s.
ONLY_TRY_MS = 2_400
PAUSE_MS = 300
# A wait that the provider names is respected if the link can still open within this time after it was needed.
NAMED_WAITS_FOR_MS = 12_000
# The least time that a try gets after such a wait.
TRY_MS = 2_000
# A recovered link that is lost again within this time is not replaced once more.
STEADY_AFTER_MS = 30_000


class LinkKeeper:
    """One effort after the other: each has its time in all, and two tries in it."""

    __slots__ = (
        "_act",
        "_alarms",
        "_began_ms",
        "_ends_ms",
        "_first_try_ms",
        "_is_recovering",
        "_is_trying",
        "_recovered_ms",
        "_tries_left",
    )

    def __init__(
        self, alarms: Alarms, act: Callable[[OpenLink | CloseLink], None], *, first_try_ms: int = FIRST_MS // TRIES
    ) -> None:
        self._alarms = alarms
        self._act = act
        self._first_try_ms = first_try_ms
        self._tries_left = TRIES - 1
        self._began_ms = 0
        self._ends_ms = FIRST_MS
        self._is_trying = True
        self._is_recovering = False
        self._recovered_ms: int | None = None
        act(OpenLink())

    def clock_started(self, now_ms: int) -> None:
        """The first link was requested before the clock started."""
        if self._is_trying:
            self._began_ms = now_ms
            self._ends_ms = now_ms + FIRST_MS
            self._alarms.set(Alarm.CONNECT, now_ms + self._first_try_ms)

    def ready(self, now_ms: int) -> None:
        if self._is_recovering:
            self._recovered_ms = now_ms
        self._is_trying = self._is_recovering = False
        self._alarms.cancel(Alarm.CONNECT, Alarm.RECOVER)

    def start_over(self, now_ms: int) -> None:
        """Another provider gets the first effort."""
        self._alarms.cancel(Alarm.RECOVER)
        self._begin(now_ms, FIRST_MS)

    def renew(self, now_ms: int) -> None:
        """Replace a link that works, before its session ends."""
        self._act(CloseLink())
        self._begin(now_ms, AGAIN_MS)

    def lost(self, now_ms: int, *, wait_ms: int | None = None) -> bool:
        """Schedule another try after the wait. Returns False when no try is left."""
        if not self._is_trying:
            if self._recovered_ms is not None and now_ms - self._recovered_ms < STEADY_AFTER_MS:
                return False
            self._is_recovering = True
            if wait_ms is None:
                self._begin(now_ms, AGAIN_MS)
                return True
            self._prepare(now_ms, AGAIN_MS)
        self._alarms.cancel(Alarm.CONNECT)
        if wait_ms is not None:
            return self._wait(now_ms, wait_ms)
        if not self._tries_left or now_ms + PAUSE_MS >= self._ends_ms:
            return False
        self._alarms.set(Alarm.RECOVER, now_ms + PAUSE_MS)
        return True

    def try_again(self, now_ms: int) -> None:
        """The wait before this try is over."""
        self._alarms.set(Alarm.CONNECT, now_ms + (self._ends_ms - now_ms) // self._tries_left)
        self._tries_left -= 1
        self._act(OpenLink())

    def try_took_too_long(self, now_ms: int) -> bool:
        """Returns False when there is no time for another one."""
        self._act(CloseLink())
        if not self._tries_left:
            return False
        self.try_again(now_ms)
        return True

    def _begin(self, now_ms: int, lasts_ms: int) -> None:
        self._prepare(now_ms, lasts_ms)
        self.try_again(now_ms)

    def _prepare(self, now_ms: int, lasts_ms: int) -> None:
        self._is_trying = True
        self._tries_left = TRIES
        self._began_ms = now_ms
        self._ends_ms = now_ms + lasts_ms

    def _wait(self, now_ms: int, wait_ms: int) -> bool:
        """A try that the provider postponed does not count as failed: only the time counts."""
        again_ms = now_ms + max(wait_ms + TICK_MS, PAUSE_MS)
        if again_ms + TRY_MS > self._began_ms + NAMED_WAITS_FOR_MS:
            return False
        self._tries_left = max(self._tries_left, 1)
        self._ends_ms = max(self._ends_ms, again_ms + TRY_MS)
        self._alarms.set(Alarm.RECOVER, again_ms)
        return True


class Reconnection:
    """Between `lost` and `ready` there is no session; `LinkKeeper` bounds that time."""

    __slots__ = (
        "_agent",
        "_alarms",
        "_is_greeting_kept",
        "_may_fail_over",
        "_phrases",
        "_roll_over_after_ms",
        "_timeline",
        "_transcript",
        "_was_ready",
        "link",
        "pending_answer",
        "was_link_idle",
    )

    def __init__(
        self, briefing: Briefing, *, agent: AgentDialect, transcript: Transcript, alarms: Alarms, timeline: Timeline
    ) -> None:
        self._phrases = briefing.phrases
        self._is_greeting_kept = bool(briefing.greeting_audio)
        self._roll_over_after_ms = briefing.limits.roll_over_after_ms
        self._agent = agent
        self._transcript = transcript
        self._alarms = alarms
        self._timeline = timeline
        self._was_ready = False
        self.was_link_idle = False
        self._may_fail_over = bool(briefing.fallback_provider)
        self.pending_answer = PendingAnswer()
        first_try_ms = ONLY_TRY_MS if self._may_fail_over else FIRST_MS // TRIES
        self.link = LinkKeeper(alarms, timeline.act, first_try_ms=first_try_ms)

    def ready(self, now_ms: int, *, are_tools_running: bool) -> None:
        was_ready, self._was_ready = self._was_ready, True
        self.link.ready(now_ms)
        self._alarms.set(Alarm.ROLL_OVER, now_ms + self._roll_over_after_ms)
        detail = {"was_idle": 1} if self.was_link_idle else {}
        self._timeline.happened("agent_resumed" if was_ready else "agent_ready", **detail)
        if past := self._transcript.past():
            self._agent.replay(past)
        lost_turn = self.pending_answer.settle()
        is_greeted = self._is_greeting_kept or self._transcript.has_agent_spoken
        if self._phrases.greeting and not is_greeted:
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
        self.pending_answer.link_lost(was_due=self._agent.is_ready and self._agent.is_due, was_speaking=was_speaking)
        self._agent.link_closed()
        self._alarms.cancel(Alarm.ANSWER, Alarm.STALL, Alarm.ROLL_OVER)
        if self._fails_over(loss.reason or f"closed with {loss.code}"):
            return True
        return not loss.is_fatal and self.link.lost(now_ms, wait_ms=loss.wait_ms)

    def session_gone(self) -> None:
        """For good: its successor answers what the caller may have said meanwhile."""
        self.pending_answer.link_lost(was_due=True, was_speaking=True)
        self._agent.link_closed()
        self._alarms.cancel(Alarm.ANSWER, Alarm.STALL, Alarm.ROLL_OVER, Alarm.RETRY, Alarm.CONNECT, Alarm.RECOVER)

    def took_too_long(self, now_ms: int) -> bool:
        """A link could not be opened, or its session was not ready in time. Returns whether another is worth it."""
        self._agent.link_closed()
        if self._may_fail_over and not self._was_ready:
            self._timeline.act(CloseLink())
            return self._fails_over("no answer in time")
        return self.link.try_took_too_long(now_ms)

    def _fails_over(self, why: str) -> bool:
        """A provider that never answered is replaced by the other one, once."""
        if self._was_ready or not self._may_fail_over:
            return False
        self._may_fail_over = False
        self._alarms.cancel(Alarm.CONNECT, Alarm.RECOVER)
        self._timeline.act(FailOver(why[:80]))
        return True

    def change_agent(self, agent: AgentDialect, now_ms: int) -> None:
        """Another provider plays the agent from now on."""
        self._agent = agent
        self.link.start_over(now_ms)

    def renew(self, now_ms: int) -> None:
        """Before the provider ends the session, while neither side speaks."""
        self._timeline.happened("session_renewed")
        self._agent.link_closed()
        self.link.renew(now_ms)
