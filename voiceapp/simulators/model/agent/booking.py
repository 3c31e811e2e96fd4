"""What is known of the appointment that a caller wants, from the whole call."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voiceapp.simulators.model.agent.appointment_words import AppointmentWords, clock_of, read_words
from voiceapp.simulators.model.agent.call_state import CallState, ToolUse
from voiceapp.simulators.model.agent.menu import PromptMenu

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Booking:
    """All but `words`, which the caller said last, is the newest of the call, or of the time since the last booking."""

    state: CallState
    words: AppointmentWords
    service: str
    day: str
    when: str
    name: str
    vehicle: str
    has_wanted_to_move: bool

    @classmethod
    def of(cls, menu: PromptMenu, state: CallState) -> Booking:
        said = [read_words(text, menu) for text in state.said] or [AppointmentWords()]
        newest = said[::-1]
        return cls(
            state,
            said[-1],
            service=next((each.service for each in newest if each.service), ""),
            day=next((each.day for each in newest if each.day), ""),
            when=next((each.when for each in newest if each.when), ""),
            name=next((each.name for each in newest if each.name), ""),
            vehicle=next((each.vehicle for each in newest if each.vehicle), ""),
            has_wanted_to_move=any(each.wants_to_move for each in said),
        )

    @property
    def draft(self) -> dict[str, Any]:
        """The draft of the last tool that showed one, unless it is booked."""
        drafts = (draft for use in self._uses if isinstance(draft := (use.output or {}).get("draft"), dict))
        return next(drafts, {})

    @property
    def offered(self) -> list[str]:
        """The times of the last offer, as the tools write them."""
        return [str(each.get("time")) for each in self._found("find_appointment_times", "times")]

    @property
    def own(self) -> list[dict[str, Any]]:
        """The caller's appointments, if they were looked up."""
        return self._found("find_my_appointments", "appointments")

    @property
    def full_when(self) -> str:
        """The caller's words of day and time, with the day that was said before."""
        words = self.words
        return f"{self.day} {words.when}".strip() if words.when and not words.day else words.when or self.when

    def new_facts(self) -> dict[str, Any]:
        """Name and car, as far as the draft does not have them."""
        facts = {"customer_name": self.name, "vehicle": self.vehicle}
        return {key: value for key, value in facts.items() if value and value != self.draft.get(key)}

    def chosen_time(self) -> str:
        """The offered time that the caller has just chosen, or the caller's words; empty if none was."""
        offered, words = self.offered, self.words
        if not offered:
            return ""
        if words.ordinal is not None and -len(offered) <= words.ordinal < len(offered):
            return offered[words.ordinal]
        if (clock := clock_of(words.when)) is not None:
            fitting = [time for time in offered if _has_clock(time, clock) and _is_on(time, words.day)]
            return fitting[0] if fitting else self.full_when
        days = [time for time in offered if words.day and _is_on(time, words.day)]
        return days[0] if len(days) == 1 else ""

    @property
    def _uses(self) -> Iterator[ToolUse]:
        """Of tools since the last booking, the newest first."""
        for use in reversed(self.state.uses):
            if use.name == "book_appointment" and use.is_ok:
                return
            yield use

    def _found(self, tool: str, key: str) -> list[dict[str, Any]]:
        """The objects that a tool returned last."""
        use = next((each for each in self._uses if each.name == tool), None)
        found = (use.output or {}).get(key) if use is not None else None
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _has_clock(time: str, clock: tuple[int, int]) -> bool:
    """Whether `2026-12-04 15:00` is at three o'clock."""
    found = re.search(r"(\d\d):(\d\d)$", time)
    return found is not None and (int(found[1]) % 12, int(found[2])) == (clock[0] % 12, clock[1])


def _is_on(time: str, day: str) -> bool:
    """Whether an offered time is on the weekday that the caller names; a day in other words fits every time."""
    weekday = re.search(rf"\b({'|'.join(_WEEKDAYS)})\b", day)
    return weekday is None or _WEEKDAYS[dt.date.fromisoformat(time[:10]).weekday()] == weekday[1]
