"""A silent caller, the longest call and the farewell in a room: as on the phone (telephony/bridge/tests)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessions.calls.briefing import CallLimits
from sessions.calls.end_reasons import EndReason
from telephony.livekit.agent.deadlines import Due, RoomDeadlines

LOOK_EVERY_MS = 100


class Room:
    """The time of a room in which the caller and the agent speak when the test says so."""

    def __init__(self, limits: CallLimits | None = None, *, since_ms: int = 0) -> None:
        self.deadlines = RoomDeadlines(limits or CallLimits(), since_ms=since_ms)
        self.due: list[tuple[int, Due]] = []
        self.agent_is_busy = self.caller_is_speaking = False
        self.minds_silence = True
        self._now_ms = 0

    def passes(self, ms: int) -> list[Due]:
        """What was due meanwhile."""
        end_ms, due = self._now_ms + ms, []
        while self._now_ms < end_ms:
            self._now_ms += LOOK_EVERY_MS
            now_due = self.deadlines.passes(
                self._now_ms,
                agent_is_busy=self.agent_is_busy,
                caller_is_speaking=self.caller_is_speaking,
                minds_silence=self.minds_silence,
            )
            if now_due is not None:
                due.append(now_due)
        return due

    def agent_speaks(self, ms: int) -> list[Due]:
        self.agent_is_busy = True
        due = self.passes(ms)
        self.agent_is_busy = False
        return due

    def caller_speaks(self, ms: int) -> list[Due]:
        self.deadlines.caller_was_active()
        self.caller_is_speaking = True
        due = self.passes(ms)
        self.caller_is_speaking = False
        return due


def greeted() -> Room:
    room = Room()
    assert room.agent_speaks(2_000) == []
    return room


# Silence


def test_the_agent_asks_a_caller_after_8_s_of_silence() -> None:
    room = greeted()
    assert room.passes(8_000) == []
    assert room.passes(200) == [Due.REPROMPT]


def test_silence_ends_the_call_after_20_s_and_the_question_does_not_count_as_speech() -> None:
    room = greeted()
    assert room.passes(8_100) == [Due.REPROMPT]
    assert room.agent_speaks(1_500) == []
    assert room.passes(10_400) == []
    assert room.passes(100) == [Due.SILENCE_GOODBYE]
    assert room.agent_speaks(2_000) == []
    assert room.passes(100) == [Due.LEAVE]
    assert room.deadlines.ending is EndReason.CALLER_SILENT


def test_speech_after_the_question_starts_the_silence_over() -> None:
    room = greeted()
    assert room.passes(8_100) == [Due.REPROMPT]
    room.agent_speaks(1_000)
    room.caller_speaks(1_000)
    assert room.passes(8_000) == []
    assert room.passes(200) == [Due.REPROMPT]


@pytest.mark.parametrize("speak", [Room.agent_speaks, Room.caller_speaks])
def test_a_long_turn_is_not_silence(speak: Callable[[Room, int], list[Due]]) -> None:
    assert speak(greeted(), 30_000) == []


def test_a_goodbye_waits_until_the_question_was_heard() -> None:
    room = Room(CallLimits(reprompt_after_ms=2_000, goodbye_after_ms=3_000))
    assert room.passes(2_200) == [Due.REPROMPT]
    assert room.agent_speaks(2_000) == []
    due = room.passes(800)
    assert due[0] is Due.SILENCE_GOODBYE


def test_where_others_talk_or_the_agent_is_silent_nobody_is_asked() -> None:
    room = greeted()
    room.minds_silence = False
    assert room.passes(60_000) == []
    room.minds_silence = True
    assert room.passes(8_000) == []
    assert room.passes(200) == [Due.REPROMPT]


# The farewell


def test_the_agent_leaves_when_its_farewell_was_heard() -> None:
    room = greeted()
    room.agent_is_busy = True
    room.deadlines.leave_after_farewell(EndReason.AGENT_HUNG_UP)
    assert room.passes(3_000) == []
    room.agent_is_busy = False
    assert room.passes(100) == [Due.LEAVE]


def test_a_caller_who_speaks_into_the_farewell_stays() -> None:
    room = greeted()
    room.agent_is_busy = True
    room.deadlines.leave_after_farewell(EndReason.AGENT_HUNG_UP)
    room.passes(300)
    assert room.deadlines.caller_was_active()
    assert room.agent_speaks(3_000) == []
    assert room.deadlines.ending is None
    assert room.passes(5_000) == []


def test_a_farewell_that_is_never_spoken_is_not_waited_for_longer_than_15_s() -> None:
    room = greeted()
    room.agent_is_busy = True
    room.deadlines.leave_after_farewell(EndReason.AGENT_HUNG_UP)
    assert room.passes(14_900) == []
    assert room.passes(100) == [Due.LEAVE]


# The longest call


def test_the_longest_call_ends_with_a_goodbye_whatever_the_caller_says() -> None:
    room = Room(CallLimits(longest_call_ms=5_000))
    assert room.passes(5_000) == [Due.TIME_GOODBYE]
    room.agent_is_busy = True
    assert not room.deadlines.caller_was_active()
    room.caller_is_speaking, room.agent_is_busy = True, False
    assert room.passes(100) == [Due.LEAVE]
    assert (room.deadlines.ending, room.deadlines.is_firm) == (EndReason.TOO_LONG, True)


def test_the_longest_call_ends_even_if_the_caller_never_stops() -> None:
    room = Room(CallLimits(longest_call_ms=5_000))
    room.caller_is_speaking = room.agent_is_busy = True
    assert room.passes(5_000) == [Due.TIME_GOODBYE]
    assert room.passes(14_900) == []
    assert room.passes(100) == [Due.LEAVE]


def test_the_time_of_a_worker_that_was_lost_counts() -> None:
    room = Room(CallLimits(longest_call_ms=60_000), since_ms=55_000)
    room.minds_silence = False
    assert room.passes(4_900) == []
    assert room.passes(100) == [Due.TIME_GOODBYE]
