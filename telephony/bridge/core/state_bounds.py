"""How long a state of the conversation may last when the event that should end it does not come.

The table of all states is in docs/explanation/call.md; what a bound leads to is decided in deadlines.py.
"""

from __future__ import annotations

from .alarms import Alarm, Alarms

# The server's own answer to a turn.
ANSWER_AFTER_MS = 4_000
# The end of the caller's speech: longer than anyone speaks without a pause.
SPEECH_MS = 45_000
# The provider says that the caller speaks, but the line has been quiet for this long: he waits, and hears a tone.
QUIET_LINE_MS = 3_000
# From the end of speech to the turn made of it.
TURN_MS = 4_500
# Without any event of a response that was requested, or has begun.
RESPONSE_MS = 8_000
# The same, when all of its audio was heard to its end: it may still call a tool.
SPOKEN_MS = 2_000
LOOK_EVERY_MS = 1_000
# The confirmation of a truncation, and of a session update.
RECEIPT_MS = 3_000
# The caller waits for anything, and hears no answer.
THINKING_MS = 45_000


class StateBounds:
    """`update` says which states hold; the alarm of one that held for too long goes off."""

    __slots__ = (
        "_alarms",
        "_response_since_ms",
        "_speech_since_ms",
    )

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._response_since_ms = 0
        self._speech_since_ms = 0

    def update(
        self,
        now_ms: int,
        *,
        expects_own_answer: bool,
        has_response: bool,
        awaits_truncation: bool,
        awaits_update: bool,
        caller_waits: bool,
    ) -> None:
        if has_response and Alarm.RESPONSE not in self._alarms:
            self._response_since_ms = now_ms
        hold = self._alarms.hold
        if expects_own_answer:
            hold(Alarm.ANSWER, now_ms + ANSWER_AFTER_MS, is_on=True)
        hold(Alarm.RESPONSE, now_ms + LOOK_EVERY_MS, is_on=has_response)
        hold(Alarm.TRUNCATION, now_ms + RECEIPT_MS, is_on=awaits_truncation)
        hold(Alarm.UPDATE, now_ms + RECEIPT_MS, is_on=awaits_update)
        hold(Alarm.THINKING, now_ms + THINKING_MS, is_on=caller_waits)

    def expect_answer(self, now_ms: int) -> None:
        self._alarms.set(Alarm.ANSWER, now_ms + ANSWER_AFTER_MS)

    def speech_started(self, now_ms: int) -> None:
        self._alarms.cancel(Alarm.TURN)
        self._speech_since_ms = now_ms
        self.look_again(Alarm.SPEECH, now_ms)

    def speech_is_stuck(self, now_ms: int) -> bool:
        """The alarm SPEECH went off: whether the caller is said to speak for too long. If not, it is set again."""
        if now_ms >= self._speech_since_ms + SPEECH_MS:
            return True
        self.look_again(Alarm.SPEECH, now_ms)
        return False

    def is_line_quiet(self, now_ms: int, *, loud_ms: int) -> bool:
        """The provider says that the caller speaks, but he has not been loud for a while."""
        return now_ms >= max(self._speech_since_ms, loud_ms) + QUIET_LINE_MS

    def speech_stopped(self, now_ms: int) -> None:
        self._alarms.cancel(Alarm.SPEECH)
        self._alarms.set(Alarm.TURN, now_ms + TURN_MS)

    def turn_taken(self) -> None:
        """The speech was followed by a turn or an answer."""
        self._alarms.cancel(Alarm.SPEECH, Alarm.TURN)

    def response_began(self, now_ms: int) -> None:
        self._response_since_ms = now_ms
        self._alarms.cancel(Alarm.ANSWER, Alarm.TURN)

    def link_lost(self) -> None:
        """The session will send nothing more. A new session starts with new bounds."""
        self._alarms.cancel(Alarm.SPEECH, Alarm.TURN, Alarm.RESPONSE, Alarm.TRUNCATION, Alarm.UPDATE, Alarm.ANSWER)

    def response_is_stuck(self, now_ms: int, *, last_frame_ms: int, is_spoken: bool) -> bool:
        """The alarm RESPONSE went off: whether the response has sent nothing for too long. If not, it is set again."""
        bound_ms = SPOKEN_MS if is_spoken else RESPONSE_MS
        if now_ms >= max(self._response_since_ms, last_frame_ms) + bound_ms:
            return True
        self._alarms.set(Alarm.RESPONSE, now_ms + LOOK_EVERY_MS)
        return False

    def look_again(self, alarm: Alarm, now_ms: int) -> None:
        self._alarms.set(alarm, now_ms + LOOK_EVERY_MS)
