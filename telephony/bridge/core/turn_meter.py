"""The response time of each turn: from the end of the caller's speech to the first mark echoed after it, in parts."""

from __future__ import annotations

from sessions.calls.facts import TurnAnswered


class TurnMeter:
    """One turn at a time; an answer that never comes or is interrupted is not measured."""

    __slots__ = (
        "_audio_ms",
        "_ended_ms",
        "_noticed_ms",
        "_number",
        "_position",
    )

    def __init__(self) -> None:
        self._number = 0
        self._ended_ms = -1
        self._noticed_ms = -1
        self._audio_ms = -1
        self._position = -1

    def speech_started(self) -> None:
        self._ended_ms = self._audio_ms = -1

    def speech_stopped(self, *, at_ms: int, noticed_ms: int) -> None:
        self._ended_ms, self._noticed_ms, self._audio_ms = at_ms, noticed_ms, -1

    def committed(self, number: int) -> None:
        self._number = number

    def audio_came(self, *, at_ms: int, position: int) -> None:
        """The agent's first audio of an item, and the byte of the playout at which it starts."""
        if self._ended_ms >= 0 and self._audio_ms < 0:
            self._audio_ms, self._position = at_ms, position

    def heard(self, *, at_ms: int, position: int) -> TurnAnswered | None:
        """A mark was echoed at this position: the answer, if it is the first of it."""
        if self._ended_ms < 0 or self._audio_ms < 0 or position <= self._position:
            return None
        turn = TurnAnswered(
            number=self._number,
            speech_ended_ms=self._ended_ms,
            response_ms=at_ms - self._ended_ms,
            detection_ms=self._noticed_ms - self._ended_ms,
            model_ms=self._audio_ms - self._noticed_ms,
            playout_ms=at_ms - self._audio_ms,
        )
        self._ended_ms = -1
        return turn
