"""What the agent of a garage does next: it answers questions, finds times and makes the appointment."""

from __future__ import annotations

from voiceapp.simulators.model.agent.appointment_changes import after_own, change, go_on, pending_change
from voiceapp.simulators.model.agent.appointment_words import clock_of
from voiceapp.simulators.model.agent.booking import Booking
from voiceapp.simulators.model.agent.call_state import CallState, ToolUse
from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.agent.phrases import SpokenPhrase
from voiceapp.simulators.model.agent.replies import ANYTHING_ELSE, NOT_UNDERSTOOD, goodbye, has, text_message, transfer
from voiceapp.simulators.model.agent.vocabulary import Meaning

WHICH_SERVICE = "Which service do you need?"
WHICH_DAY = "Which day and time would you like?"
WHICH_TIME = "Which time would you like?"
WHICH_CAR = "And which car is it?"
WHAT_TO_CHANGE = "What would you like to change?"
# After these the caller may want something else.
_ANSWERED = frozenset({
    "book_appointment", "move_appointment", "cancel_appointment", "get_opening_hours", "look_up_services", "send_text",
})  # fmt: skip


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
            return after_own(Booking.of(menu, state), text)
        case "book_appointment" if not last.is_ok and not text.endswith("?"):
            return [Speech(text), FunctionCall("read_back_appointment")]
    if last.name in _ANSWERED:
        return [Speech(text if text.endswith("?") else f"{text} {ANYTHING_ELSE}")]
    return [Speech(text or NOT_UNDERSTOOD)]


def after_caller(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Respond to what the caller has said."""
    booking = Booking.of(menu, state)
    words = booking.words
    if has(phrases, Meaning.PERSON) or has(phrases, Meaning.TARGET):
        return transfer(menu, phrases)
    if has(phrases, Meaning.TEXT):
        return text_message(phrases, otherwise="appointment")
    if has(phrases, Meaning.HOURS):
        return [FunctionCall("get_opening_hours")]
    if words.asks_about_service:
        return [FunctionCall("look_up_services", {"query": words.service})]
    if words.asks_for_own:
        return [FunctionCall("find_my_appointments")]
    if words.wants_to_cancel or (words.wants_to_move and not booking.draft):
        return change(booking)
    if (pending := pending_change(state)) is not None and (outputs := go_on(booking, pending, phrases)):
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
