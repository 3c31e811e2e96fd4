"""The caller's turns, made of VAPI's speech-updates and transcripts, in whatever order they come.

VAPI names no turns and no items. A turn is speech with a text: a final transcript, or an answer to it, commits it.
"""

from __future__ import annotations

from telephony.bridge.core.events import (
    AgentEvent,
    CallerHeard,
    CallerTranscribed,
    SpeechStarted,
    SpeechStopped,
    TurnCommitted,
)
from telephony.bridge.core.stream_clock import StreamClock

# VAPI needs about this long to notice that somebody speaks.
NOTICED_AFTER_MS = 300
# The line is quiet for at most this long before VAPI notices the end of the speech.
LONGEST_NOTICE_MS = 3_000
# Of one turn; what would be more is not kept.
LONGEST_TEXT = 10_000


class CallerTurns:
    """Of one phone call, across VAPI's calls: the ids are ours."""

    def __init__(self, clock: StreamClock) -> None:
        self._clock = clock
        self._count = 0
        self._began_ms = 0
        self._text = ""
        self._is_committed = self._is_answered = True
        self._is_announced = False  # VAPI sends speech-updates of the caller
        self._is_implied = False  # the speech going on was never announced, so its end will not be either
        self._speaks_over = False  # he speaks while the assistant does, which goes on
        self._is_aside = False  # what he said then is not transcribed yet
        self.is_speaking = False

    def announced(self, *, speaks_over: bool) -> list[AgentEvent]:
        """VAPI says that he begins to speak."""
        was_known, self._is_announced, self._is_implied = self._is_implied and self.is_speaking, True, False
        self._speaks_over = speaks_over
        return [] if was_known or speaks_over else self._started()

    def floor_is_free(self) -> list[AgentEvent]:
        """The assistant has stopped. If he spoke over it, he speaks alone now."""
        return self._started() if self._speaks_over else []

    def interrupted(self) -> list[AgentEvent]:
        """VAPI says that he speaks over the assistant, whom it has stopped: whatever plays is stopped as well."""
        self._is_implied = self._is_implied or not (self.is_speaking or self._speaks_over)
        return self._started()

    def stopped(self) -> list[AgentEvent]:
        if self._speaks_over:
            self._speaks_over, self._is_aside = False, True
        if not self.is_speaking:
            return []
        self.is_speaking = self._is_implied = False
        return [SpeechStopped(self._id, self._ended_ms()), *(self._commit() if self._text else ())]

    def transcribed(self, text: str) -> list[AgentEvent]:
        """A final transcript: VAPI may send several in one turn, during the speech or after it."""
        text = text.strip()
        if not text:
            return []
        events: list[AgentEvent] = []
        if not self.is_speaking and (self._speaks_over or self._is_aside):
            return self._aside(text)
        if not self.is_speaking and (not self._count or (self._is_answered and not self._is_announced)):
            events += [*self._started(), *self.stopped()]
        elif self._is_implied:
            events += self.stopped()
        if len(self._text) + len(text) < LONGEST_TEXT:
            self._text = f"{self._text} {text}".strip()
        if not self.is_speaking:
            events += self._commit()
        return [*events, CallerTranscribed(self._id, self._text)]

    def heard(self, text: str) -> list[AgentEvent]:
        """A transcript that is not final yet."""
        return [CallerHeard(self._id, text[:LONGEST_TEXT], is_all=True)] if self.is_speaking else []

    def answered(self) -> list[AgentEvent]:
        """The assistant begins to answer: whatever VAPI left out, the turn is over."""
        events = [*self.stopped(), *self._commit()]
        self._is_answered, self._is_aside = True, False
        return events

    def link_closed(self) -> None:
        self.is_speaking = self._is_implied = self._speaks_over = self._is_aside = False
        self._is_committed = self._is_answered = True

    @property
    def _id(self) -> str:
        return f"caller_{self._count}"

    def _started(self) -> list[AgentEvent]:
        if not self.is_speaking:
            self.is_speaking = True
            self._speaks_over = self._is_aside = False
            self._count += 1
            self._text = ""
            self._is_committed = self._is_answered = False
            self._began_ms = self._clock.end_ms
        return [SpeechStarted(self._id, max(0, self._clock.end_ms - NOTICED_AFTER_MS))]

    def _aside(self, text: str) -> list[AgentEvent]:
        """Speech that did not interrupt, like “mhm”: a line of the transcript, and a turn if VAPI answers it."""
        self._count += 1
        self._text = text[:LONGEST_TEXT]
        self._is_committed = self._is_answered = False
        return [CallerTranscribed(self._id, text)]

    def _commit(self) -> list[AgentEvent]:
        if self._is_committed:
            return []
        self._is_committed = True
        return [TurnCommitted(self._id)]

    def _ended_ms(self) -> int:
        """VAPI says it when it has noticed; the line was loud until before."""
        loud_ms, end_ms = self._clock.loud_ms, self._clock.end_ms
        return loud_ms if max(self._began_ms, end_ms - LONGEST_NOTICE_MS) < loud_ms <= end_ms else end_ms
