"""What the agent of a garage does next: it finds times, makes the appointment, moves and cancels appointments."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from voiceapp.simulators.model.agent.appointment_words import AppointmentWords, clock_of, read_words
from voiceapp.simulators.model.agent.call_state import CallState, ToolUse
from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.agent.phrases import SpokenPhrase
from voiceapp.simulators.model.agent.replies import ANYTHING_ELSE, NOT_UNDERSTOOD, goodbye, has, transfer
from voiceapp.simulators.model.agent.vocabulary import Meaning

WHICH_SERVICE = "Which service do you need?"
WHICH_DAY = "Which day and time would you like?"
WHICH_TIME = "Which time would you like?"
WHICH_CAR = "And which car is it?"
WHICH_APPOINTMENT = "Which one do you mean?"
WHAT_TO_CHANGE = "What would you like to change?"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHANGING = ("move_appointment", "cancel_appointment")


@dataclass(frozen=True, slots=True)
class Booking:
    """What is known of the appointment from the whole call; `words` is what the caller said last."""

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
        for use in reversed(self.state.uses):
            if use.name == "book_appointment" and use.is_ok:
                return {}
            if isinstance(draft := (use.output or {}).get("draft"), dict):
                return draft
        return {}

    @property
    def offered(self) -> list[str]:
        """The times of the last offer, as the tools write them."""
        use = next((each for each in reversed(self.state.uses) if each.name == "find_appointment_times"), None)
        times = (use.output or {}).get("times") if use is not None else None
        return [str(each.get("time")) for each in times if isinstance(each, dict)] if isinstance(times, list) else []

    @property
    def own(self) -> list[dict[str, Any]]:
        """The caller's appointments, if they were looked up."""
        use = next((each for each in reversed(self.state.uses) if each.name == "find_my_appointments"), None)
        found = (use.output or {}).get("appointments") if use is not None else None
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

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


def after_tools(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Say what the last tool says, for it includes what those before it did, and continue."""
    last = state.new_results[-1]
    text = last.say
    match last.name:
        case "find_appointment_times":
            return _after_times(last, text)
        case "choose_appointment" if last.is_ok:
            return _after_choice(state, last, text)
        case "find_my_appointments" if last.is_ok:
            return _after_own(Booking.of(menu, state), text)
        case "book_appointment" if not last.is_ok and not text.endswith("?"):
            return [Speech(text), FunctionCall("read_back_appointment")]
        case "book_appointment" | "move_appointment" | "cancel_appointment" | "get_opening_hours" | "look_up_services":
            return [Speech(text if text.endswith("?") else f"{text} {ANYTHING_ELSE}")]
    return [Speech(text or NOT_UNDERSTOOD)]


def after_caller(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Respond to what the caller has said."""
    booking = Booking.of(menu, state)
    words = booking.words
    if has(phrases, Meaning.PERSON) or has(phrases, Meaning.TARGET):
        return transfer(menu, phrases)
    if has(phrases, Meaning.HOURS):
        return [FunctionCall("get_opening_hours")]
    if words.asks_about_service:
        return [FunctionCall("look_up_services", {"query": words.service})]
    if words.asks_for_own:
        return [FunctionCall("find_my_appointments")]
    if words.wants_to_cancel or (words.wants_to_move and not booking.draft):
        return _change(booking)
    if (pending := _pending(state)) is not None and (outputs := _go_on(booking, pending, phrases)):
        return outputs
    return _book(booking, phrases) or _small_talk(booking, phrases)


def _after_times(use: ToolUse, text: str) -> list[Output]:
    times = (use.output or {}).get("times") or []
    wish = str(use.arguments.get("when") or "")
    if use.is_ok and (use.output or {}).get("as_wished") and len(times) == 1 and clock_of(wish) is not None:
        chosen = {"service": use.arguments.get("service"), "time": times[0]["time"]}
        return [FunctionCall("choose_appointment", chosen)]
    if not use.is_ok or text.endswith("?"):
        return [Speech(text)]
    return [Speech(f"{text} {WHICH_TIME if len(times) > 1 else 'Does that suit you?'}")]


def _after_choice(state: CallState, use: ToolUse, text: str) -> list[Output]:
    """Ask for what is missing, once for the car, too; then read the appointment back."""
    draft = (use.output or {}).get("draft") or {}
    if draft.get("missing"):
        return [Speech(text)]
    if not draft.get("vehicle") and WHICH_CAR not in state.last_said:
        return [Speech(WHICH_CAR)]
    return [FunctionCall("read_back_appointment")]


def _after_own(booking: Booking, text: str) -> list[Output]:
    """Go on with the appointment if the caller wanted to change it and has only one."""
    words, own = booking.words, booking.own
    if not (words.wants_to_cancel or words.wants_to_move):
        return [Speech(f"{text} {ANYTHING_ELSE}")]
    if len(own) != 1:
        return [Speech(f"{text} {WHICH_APPOINTMENT}")]
    return _change_of(own[0]["appointment"], words, words.when, said_before=text)


def _change(booking: Booking) -> list[Output]:
    """Move or cancel: the caller's appointments are looked up first."""
    own = booking.own
    if not own:
        return [FunctionCall("find_my_appointments")]
    named = [each for each in own if booking.words.service and each.get("service") == booking.words.service]
    found = named or own
    if len(found) != 1:
        return [Speech(WHICH_APPOINTMENT)]
    return _change_of(found[0]["appointment"], booking.words, booking.words.when)


def _change_of(number: object, words: AppointmentWords, when: str, *, said_before: str = "") -> list[Output]:
    if words.wants_to_cancel:
        return [FunctionCall("cancel_appointment", {"appointment": number})]
    if not when:
        return [Speech(f"{said_before} To which day and time?".strip())]
    return [FunctionCall("move_appointment", {"appointment": number, "time": when})]


def _pending(state: CallState) -> ToolUse | None:
    """The move or cancellation that the agent has just asked about, or for which the time was refused."""
    last = state.last
    if last is not None and last.name in _CHANGING and not (last.output or {}).get("done"):
        return last
    return last if last is not None and last.name == "find_my_appointments" else None


def _go_on(booking: Booking, pending: ToolUse, phrases: list[SpokenPhrase]) -> list[Output]:
    """The caller's response to the question about a move or a cancellation."""
    words = booking.words
    if pending.name == "find_my_appointments":
        number = booking.own[0]["appointment"] if len(booking.own) == 1 else None
        is_told = booking.has_wanted_to_move and number is not None and words.when
        return [FunctionCall("move_appointment", {"appointment": number, "time": words.when})] if is_told else []
    if words.when and pending.name == "move_appointment":
        return [FunctionCall("move_appointment", {**pending.arguments, "time": booking.full_when})]
    if pending.is_ok and (has(phrases, Meaning.YES) or words.agrees) and not has(phrases, Meaning.NO):
        return [FunctionCall(pending.name, dict(pending.arguments))]
    if has(phrases, Meaning.NO):
        return [Speech(f"All right, it stays as it is. {ANYTHING_ELSE}")]
    return []


def _book(booking: Booking, phrases: list[SpokenPhrase]) -> list[Output]:
    """Find times, choose one, complete the draft, or book what was read back. Empty: the caller said none of it."""
    words, draft = booking.words, booking.draft
    says_yes = (has(phrases, Meaning.YES) or words.agrees) and not has(phrases, Meaning.NO)
    time = booking.chosen_time()
    if not time and says_yes and booking.offered and not draft.get("time"):
        time = booking.offered[0]
    if time:
        service = {"service": booking.service} if booking.service else {}
        return [FunctionCall("choose_appointment", {**service, "time": time, **booking.new_facts()})]
    if words.asks_for_other_times and booking.service:
        return [FunctionCall("find_appointment_times", {"service": booking.service, "when": _other(booking)})]
    if words.when or words.service or (words.wants_to_book and not draft):
        return _look_for_times(booking)
    if (words.name or words.vehicle) and (facts := booking.new_facts()) and (draft or booking.offered):
        return [FunctionCall("choose_appointment", facts)]
    if booking.state.is_read_back:
        if says_yes or has(phrases, Meaning.DONE) or has(phrases, Meaning.THANKS):
            return [FunctionCall("book_appointment")]
        if has(phrases, Meaning.NO):
            return [Speech(WHAT_TO_CHANGE)]
    if draft.get("time") and not draft.get("missing"):
        return [FunctionCall("read_back_appointment")]
    if words.name and booking.service:
        return [Speech(WHICH_DAY)]
    return []


def _look_for_times(booking: Booking) -> list[Output]:
    if not booking.service:
        return [Speech(WHICH_SERVICE)]
    wish = {"when": booking.full_when} if booking.full_when else {}
    return [FunctionCall("find_appointment_times", {"service": booking.service, **wish})]


def _other(booking: Booking) -> str:
    """Earlier or later than what was offered, as a wish."""
    offered = booking.offered
    if booking.words.asks_for_other_times == "earlier":
        return "as soon as possible"
    return f"{offered[-1].partition(' ')[0]} after {offered[-1].partition(' ')[2]}" if offered else "next week"


def _small_talk(booking: Booking, phrases: list[SpokenPhrase]) -> list[Output]:
    state = booking.state
    is_over = has(phrases, Meaning.DONE) or has(phrases, Meaning.BYE) or has(phrases, Meaning.NO)
    if is_over or (has(phrases, Meaning.THANKS) and state.uses):
        return goodbye()
    if has(phrases, Meaning.AGAIN):
        return [Speech(state.last.say if state.last and state.last.say else WHICH_SERVICE)]
    if state.has_replayed_text and not state.uses and has(phrases, Meaning.YES):
        return [FunctionCall("read_back_appointment")]
    if has(phrases, Meaning.YES) or has(phrases, Meaning.HELLO) or has(phrases, Meaning.LEAD):
        return [Speech(WHICH_DAY if booking.service else WHICH_SERVICE)]
    return [Speech(NOT_UNDERSTOOD)]


def _has_clock(time: str, clock: tuple[int, int]) -> bool:
    """Whether `2026-12-04 15:00` is at three o'clock."""
    found = re.search(r"(\d\d):(\d\d)$", time)
    return found is not None and (int(found[1]) % 12, int(found[2])) == (clock[0] % 12, clock[1])


def _is_on(time: str, day: str) -> bool:
    """Whether an offered time is on the weekday that the caller names; a day in other words fits every time."""
    weekday = re.search(rf"\b({'|'.join(_WEEKDAYS)})\b", day)
    return weekday is None or _WEEKDAYS[dt.date.fromisoformat(time[:10]).weekday()] == weekday[1]
