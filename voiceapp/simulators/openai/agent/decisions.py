"""Decides what the agent does next from the conversation alone: it speaks, calls a function, or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceapp.simulators.openai.agent.call_state import CallState, ToolUse, call_state_of
from voiceapp.simulators.openai.agent.menu import PromptMenu, read_menu
from voiceapp.simulators.openai.agent.order_changes import changes_of
from voiceapp.simulators.openai.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.openai.agent.phrases import SpokenPhrase, parser_for
from voiceapp.simulators.openai.agent.vocabulary import Meaning
from voiceapp.simulators.openai.items import ConversationItem
from voiceapp.simulators.openai.spelling import spoken

NOT_UNDERSTOOD = "Sorry, I didn't catch that. Could you say it again, please?"
ANYTHING_ELSE = "Anything else?"
NOT_POSSIBLE = "I am sorry, I cannot help with that."
GOODBYE = "Thank you for calling. Goodbye!"
PRESSED = "[The caller pressed "


def decide(session: dict[str, Any], items: Sequence[ConversationItem]) -> list[Output]:
    """The outputs of the next response."""
    menu = read_menu(session.get("instructions") or "")
    state = call_state_of(items)
    reader = parser_for(menu)
    phrases = reader.read(spoken(state.heard.heard)) if state.heard is not None and state.heard.heard else []
    outputs = _after_tools(state, phrases) if state.new_results else _after_caller(menu, state, phrases)
    tools = {tool["name"] for tool in session.get("tools") or []}
    return [each for each in outputs if isinstance(each, Speech) or each.name in tools] or [Speech(NOT_POSSIBLE)]


def _after_tools(state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Say the results of the tools and continue."""
    last = state.new_results[-1]
    text = " ".join(use.say for use in state.new_results if use.say)
    if last.name == "submit_order":
        if last.is_ok:
            return [Speech(f"{text} {GOODBYE}"), FunctionCall("end_call")]
        return [Speech(text)] if state.is_read_back else [Speech(text), FunctionCall("read_back_order")]
    if last.name == "end_call":
        return [Speech(GOODBYE)]
    if last.name in ("transfer_call", "read_back_order"):
        return [Speech(text)]
    if last.name == "change_order" and last.is_ok:
        if _has(phrases, Meaning.DONE):
            return [Speech(text), FunctionCall("read_back_order")]
        return [Speech(text if text.endswith("?") else f"{text} {ANYTHING_ELSE}")]
    if last.name in ("get_opening_hours", "look_up_items"):
        return [
            Speech(
                text if text.endswith("?") else f"{text} {'What would you like?' if not state.lines else ANYTHING_ELSE}"
            )
        ]
    return [Speech(text or NOT_UNDERSTOOD)]


def _after_caller(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    """Respond to what the caller has said."""
    heard = state.heard
    if heard is None:
        return [Speech("Hello! What can I do for you?")]
    if (heard.heard or "").startswith(PRESSED):
        return _after_key(menu, heard.heard or "")
    if _has(phrases, Meaning.PERSON) or (_has(phrases, Meaning.TARGET) and not _has(phrases, Meaning.ITEM)):
        return _transfer(menu, phrases)
    changes = changes_of(phrases, state)
    question = _question(phrases)
    if question is not None and not _is_order(phrases):
        return question
    if changes:
        return [FunctionCall("change_order", {"changes": changes})]
    return _small_talk(menu, state, phrases)


def _is_order(phrases: list[SpokenPhrase]) -> bool:
    """A sentence that both orders and asks counts as an order."""
    return _has(phrases, Meaning.LEAD) and not (_has(phrases, Meaning.PRICE) or _has(phrases, Meaning.HAVE))


def _question(phrases: list[SpokenPhrase]) -> list[Output] | None:
    named = [phrase for phrase in phrases if phrase.kind in (Meaning.ITEM, Meaning.CATEGORY, Meaning.MODIFIER)]
    if _has(phrases, Meaning.HOURS):
        return [FunctionCall("get_opening_hours")]
    if _has(phrases, Meaning.TOTAL):
        return [FunctionCall("read_back_order")]
    if (
        _has(phrases, Meaning.PRICE)
        or _has(phrases, Meaning.HAVE)
        or _has(phrases, Meaning.SIZES)
        or _has(phrases, Meaning.KINDS)
    ):
        return (
            [FunctionCall("look_up_items", {"query": named[-1].name})]
            if named
            else [FunctionCall("look_up_items", {"query": ""})]
        )
    if _has(phrases, Meaning.MENU):
        return [FunctionCall("look_up_items", {"query": named[-1].name if named else ""})]
    return None


def _small_talk(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    says_yes, says_no = _has(phrases, Meaning.YES), _has(phrases, Meaning.NO)
    if state.is_submitted or (_has(phrases, Meaning.BYE) and not state.may_have_ordered):
        return [Speech(GOODBYE), FunctionCall("end_call")]
    if state.is_read_back:
        if says_yes and not says_no:
            return [FunctionCall("submit_order")]
        if says_no:
            return [Speech("What would you like to change?")]
        if _has(phrases, Meaning.DONE) or _has(phrases, Meaning.THANKS):
            return [FunctionCall("submit_order")]
        return [Speech("Sorry, is the order right?")]
    if says_yes and (offered := _offered(menu, state.last)) is not None:
        return [FunctionCall("change_order", {"changes": [{"do": "add", "item": offered}]})]
    if _has(phrases, Meaning.DONE) or says_no or _has(phrases, Meaning.BYE):
        if state.may_have_ordered:
            return [FunctionCall("read_back_order")]
        return (
            [Speech(GOODBYE), FunctionCall("end_call")]
            if _has(phrases, Meaning.DONE)
            else [Speech("All right. What would you like?")]
        )
    if _has(phrases, Meaning.AGAIN):
        return [Speech(state.last.say if state.last and state.last.say else "What would you like to order?")]
    if says_yes or _has(phrases, Meaning.LEAD) or _has(phrases, Meaning.HELLO):
        return [Speech("What would you like to order?" if not state.lines else "What else would you like?")]
    if _has(phrases, Meaning.THANKS):
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


def _after_key(menu: PromptMenu, text: str) -> list[Output]:
    if "asks for a person" in text:
        return _transfer(menu, [])
    return [Speech("You pressed a key. Just tell me what you would like.")]


def _transfer(menu: PromptMenu, phrases: list[SpokenPhrase]) -> list[Output]:
    named = [phrase.name for phrase in phrases if phrase.kind is Meaning.TARGET]
    targets = [target for target, _ in menu.targets]
    if not targets:
        return [Speech("I am sorry, nobody else is here right now. Can I help you with an order?")]
    return [
        Speech("One moment, I will connect you."),
        FunctionCall("transfer_call", {"target": named[0] if named else targets[0]}),
    ]


def _has(phrases: Sequence[SpokenPhrase], kind: Meaning) -> bool:
    return any(phrase.kind is kind for phrase in phrases)
