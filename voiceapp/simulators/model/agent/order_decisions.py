"""What the agent of a restaurant does next: it takes the order, and answers questions about the menu."""

from __future__ import annotations

from voiceapp.simulators.model.agent.call_state import CallState, ToolUse
from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.agent.order_changes import changes_of
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.agent.phrases import SpokenPhrase
from voiceapp.simulators.model.agent.replies import (
    ANYTHING_ELSE,
    GOODBYE,
    NOT_UNDERSTOOD,
    goodbye,
    has,
    text_message,
    transfer,
)
from voiceapp.simulators.model.agent.vocabulary import Meaning


def after_tools(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Say the results of the tools and continue."""
    last = state.new_results[-1]
    text = " ".join(use.say for use in state.new_results if use.say)
    if last.name == "submit_order":
        if last.is_ok:
            return [Speech(f"{text} {GOODBYE}"), FunctionCall("end_call")]
        return [Speech(text)] if state.is_read_back else [Speech(text), FunctionCall("read_back_order")]
    if last.name in ("transfer_call", "read_back_order"):
        return [Speech(text)]
    if last.name == "change_order" and last.is_ok:
        if has(phrases, Meaning.DONE):
            return [Speech(text), FunctionCall("read_back_order")]
        return [Speech(text if text.endswith("?") else f"{text} {ANYTHING_ELSE}")]
    if last.name in ("get_opening_hours", "look_up_items", "send_text"):
        return [
            Speech(
                text if text.endswith("?") else f"{text} {'What would you like?' if not state.lines else ANYTHING_ELSE}"
            )
        ]
    return [Speech(text or NOT_UNDERSTOOD)]


def after_caller(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Respond to what the caller has said."""
    if has(phrases, Meaning.PERSON) or (has(phrases, Meaning.TARGET) and not has(phrases, Meaning.ITEM)):
        return transfer(menu, phrases)
    if has(phrases, Meaning.TEXT):
        return text_message(phrases, otherwise="order")
    changes = changes_of(phrases, state)
    question = _question(phrases)
    if question is not None and not _is_order(phrases):
        return question
    if changes:
        return [FunctionCall("change_order", {"changes": changes})]
    return _small_talk(menu, state, phrases)


def _is_order(phrases: list[SpokenPhrase]) -> bool:
    """A sentence that both orders and asks counts as an order."""
    return has(phrases, Meaning.LEAD) and not (has(phrases, Meaning.PRICE) or has(phrases, Meaning.HAVE))


def _question(phrases: list[SpokenPhrase]) -> list[Output] | None:
    named = [phrase for phrase in phrases if phrase.kind in (Meaning.ITEM, Meaning.CATEGORY, Meaning.MODIFIER)]
    if has(phrases, Meaning.HOURS):
        return [FunctionCall("get_opening_hours")]
    if has(phrases, Meaning.TOTAL):
        return [FunctionCall("read_back_order")]
    if (
        has(phrases, Meaning.PRICE)
        or has(phrases, Meaning.HAVE)
        or has(phrases, Meaning.SIZES)
        or has(phrases, Meaning.KINDS)
    ):
        return (
            [FunctionCall("look_up_items", {"query": named[-1].name})]
            if named
            else [FunctionCall("look_up_items", {"query": ""})]
        )
    if has(phrases, Meaning.MENU):
        return [FunctionCall("look_up_items", {"query": named[-1].name if named else ""})]
    return None


def _small_talk(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    says_yes, says_no = has(phrases, Meaning.YES), has(phrases, Meaning.NO)
    if state.is_submitted or (has(phrases, Meaning.BYE) and not state.may_have_ordered):
        return goodbye()
    if state.is_read_back:
        if says_yes and not says_no:
            return [FunctionCall("submit_order")]
        if says_no:
            return [Speech("What would you like to change?")]
        if has(phrases, Meaning.DONE) or has(phrases, Meaning.THANKS):
            return [FunctionCall("submit_order")]
        return [Speech("Sorry, is the order right?")]
    if says_yes and (offered := _offered(menu, state.last)) is not None:
        return [FunctionCall("change_order", {"changes": [{"do": "add", "item": offered}]})]
    if has(phrases, Meaning.DONE) or says_no or has(phrases, Meaning.BYE):
        if state.may_have_ordered:
            return [FunctionCall("read_back_order")]
        return goodbye() if has(phrases, Meaning.DONE) else [Speech("All right. What would you like?")]
    if has(phrases, Meaning.AGAIN):
        return [Speech(state.last.say if state.last and state.last.say else "What would you like to order?")]
    if says_yes or has(phrases, Meaning.LEAD) or has(phrases, Meaning.HELLO):
        return [Speech("What would you like to order?" if not state.lines else "What else would you like?")]
    if has(phrases, Meaning.THANKS):
        return [Speech("You are welcome. Anything else?")]
    return [Speech(NOT_UNDERSTOOD)]


def _offered(menu: PromptMenu, last: ToolUse | None) -> str | None:
    """The item that a tool offered instead of one that is sold out."""
    if last is None or last.name != "change_order" or last.is_ok:
        return None
    rejected = {str(change.get("item", "")).lower() for change in last.arguments.get("changes") or []}
    places = {
        item.name: last.say.lower().find(item.name.lower()) for item in menu.items if item.name.lower() not in rejected
    }
    named = {name: place for name, place in places.items() if place >= 0}
    return min(named, key=lambda name: named[name]) if named else None
