"""How an appointment of the caller is moved or canceled: looked up, confirmed by the caller, and done."""

from __future__ import annotations

from voiceapp.simulators.model.agent.appointment_words import AppointmentWords
from voiceapp.simulators.model.agent.booking import Booking
from voiceapp.simulators.model.agent.call_state import CallState, ToolUse
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.agent.phrases import SpokenPhrase
from voiceapp.simulators.model.agent.replies import ANYTHING_ELSE, has
from voiceapp.simulators.model.agent.vocabulary import Meaning

WHICH_APPOINTMENT = "Which one do you mean?"
_CHANGING = ("move_appointment", "cancel_appointment")


def after_own(booking: Booking, text: str) -> list[Output]:
    """Go on with the appointment if the caller wanted to change it and has only one."""
    words, own = booking.words, booking.own
    if not (words.wants_to_cancel or words.wants_to_move):
        return [Speech(f"{text} {ANYTHING_ELSE}")]
    if len(own) != 1:
        return [Speech(f"{text} {WHICH_APPOINTMENT}")]
    return _change_of(own[0]["appointment"], words, words.when, said_before=text)


def change(booking: Booking) -> list[Output]:
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


def pending_change(state: CallState) -> ToolUse | None:
    """The move or cancellation that the agent has just read back, or for which the time was refused."""
    last = state.last
    if last is not None and last.name in _CHANGING and not (last.output or {}).get("done"):
        return last
    return last if last is not None and last.name == "find_my_appointments" else None


def go_on(booking: Booking, pending: ToolUse, phrases: list[SpokenPhrase]) -> list[Output]:
    """The caller's response to the question about a move or a cancellation."""
    words = booking.words
    if pending.name == "find_my_appointments":
        number = booking.own[0]["appointment"] if len(booking.own) == 1 else None
        is_named = booking.has_wanted_to_move and number is not None and words.when
        return [FunctionCall("move_appointment", {"appointment": number, "time": words.when})] if is_named else []
    if words.when and pending.name == "move_appointment":
        return [FunctionCall("move_appointment", {**pending.arguments, "time": booking.full_when})]
    if pending.is_ok and (has(phrases, Meaning.YES) or words.agrees) and not has(phrases, Meaning.NO):
        return [FunctionCall(pending.name, dict(pending.arguments))]
    if has(phrases, Meaning.NO):
        return [Speech(f"All right, it stays as it is. {ANYTHING_ELSE}")]
    return []
