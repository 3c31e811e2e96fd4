"""What the agent does next, from the conversation alone: speaks, uses a tool, or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceapp.simulators.openai.conversation import Item
from voiceapp.simulators.openai.memory import Memory, Use, remember
from voiceapp.simulators.openai.menu import Menu, read_menu
from voiceapp.simulators.openai.ordering import changes_of
from voiceapp.simulators.openai.parts import Call, Part, Speak
from voiceapp.simulators.openai.reading import Phrase, reader_of
from voiceapp.simulators.openai.vocabulary import Kind
from voiceapp.simulators.openai.wording import spoken

NOT_UNDERSTOOD = "Sorry, I didn't catch that. Could you say it again, please?"
ANYTHING_ELSE = "Anything else?"
NOT_POSSIBLE = "I am sorry, I cannot help with that."
GOODBYE = "Thank you for calling. Goodbye!"
PRESSED = "[The caller pressed "


def think(session: dict[str, Any], items: Sequence[Item]) -> list[Part]:
    """The parts of the next response."""
    menu = read_menu(session.get("instructions") or "")
    memory = remember(items)
    reader = reader_of(menu)
    said = reader.read(spoken(memory.heard.heard)) if memory.heard is not None and memory.heard.heard else []
    parts = _report(memory, said) if memory.fresh else _answer(menu, memory, said)
    tools = {tool["name"] for tool in session.get("tools") or []}
    return [part for part in parts if isinstance(part, Speak) or part.name in tools] or [Speak(NOT_POSSIBLE)]


def _report(memory: Memory, said: list[Phrase]) -> list[Part]:
    """Tell what the tools have just answered, and go on from there."""
    last = memory.fresh[-1]
    words = " ".join(use.say for use in memory.fresh if use.say)
    if last.name == "submit_order":
        if last.is_ok:
            return [Speak(f"{words} {GOODBYE}"), Call("end_call")]
        return [Speak(words)] if memory.is_read_back else [Speak(words), Call("read_back_order")]
    if last.name == "end_call":
        return [Speak(GOODBYE)]
    if last.name in ("transfer_call", "read_back_order"):
        return [Speak(words)]
    if last.name == "change_order" and last.is_ok:
        if _has(said, Kind.DONE):
            return [Speak(words), Call("read_back_order")]
        return [Speak(words if words.endswith("?") else f"{words} {ANYTHING_ELSE}")]
    if last.name in ("get_opening_hours", "look_up_items"):
        return [
            Speak(
                words
                if words.endswith("?")
                else f"{words} {'What would you like?' if not memory.lines else ANYTHING_ELSE}"
            )
        ]
    return [Speak(words or NOT_UNDERSTOOD)]


def _answer(menu: Menu, memory: Memory, said: list[Phrase]) -> list[Part]:
    """Answer what the caller has just said."""
    heard = memory.heard
    if heard is None:
        return [Speak("Hello! What can I do for you?")]
    if (heard.heard or "").startswith(PRESSED):
        return _key(menu, heard.heard or "")
    if _has(said, Kind.PERSON) or (_has(said, Kind.TARGET) and not _has(said, Kind.ITEM)):
        return _transfer(menu, said)
    changes = changes_of(said, memory)
    question = _question(said)
    if question is not None and not changes_matter(said):
        return question
    if changes:
        return [Call("change_order", {"changes": changes})]
    return _small_talk(menu, memory, said)


def changes_matter(said: list[Phrase]) -> bool:
    """A sentence that orders and asks is an order first."""
    return _has(said, Kind.LEAD) and not (_has(said, Kind.PRICE) or _has(said, Kind.HAVE))


def _question(said: list[Phrase]) -> list[Part] | None:
    named = [phrase for phrase in said if phrase.kind in (Kind.ITEM, Kind.CATEGORY, Kind.MODIFIER)]
    if _has(said, Kind.HOURS):
        return [Call("get_opening_hours")]
    if _has(said, Kind.TOTAL):
        return [Call("read_back_order")]
    if _has(said, Kind.PRICE) or _has(said, Kind.HAVE) or _has(said, Kind.SIZES) or _has(said, Kind.KINDS):
        return [Call("look_up_items", {"query": named[-1].name})] if named else [Call("look_up_items", {"query": ""})]
    if _has(said, Kind.MENU):
        return [Call("look_up_items", {"query": named[-1].name if named else ""})]
    return None


def _small_talk(menu: Menu, memory: Memory, said: list[Phrase]) -> list[Part]:
    agrees, refuses = _has(said, Kind.YES), _has(said, Kind.NO)
    if memory.is_submitted or (_has(said, Kind.BYE) and not memory.may_have_ordered):
        return [Speak(GOODBYE), Call("end_call")]
    if memory.is_read_back:
        if agrees and not refuses:
            return [Call("submit_order")]
        if refuses:
            return [Speak("What would you like to change?")]
        if _has(said, Kind.DONE) or _has(said, Kind.THANKS):
            return [Call("submit_order")]
        return [Speak("Sorry, is the order right?")]
    if agrees and (offered := _offered(menu, memory.last)) is not None:
        return [Call("change_order", {"changes": [{"do": "add", "item": offered}]})]
    if _has(said, Kind.DONE) or refuses or _has(said, Kind.BYE):
        if memory.may_have_ordered:
            return [Call("read_back_order")]
        return (
            [Speak(GOODBYE), Call("end_call")] if _has(said, Kind.DONE) else [Speak("All right. What would you like?")]
        )
    if _has(said, Kind.AGAIN):
        return [Speak(memory.last.say if memory.last and memory.last.say else "What would you like to order?")]
    if agrees or _has(said, Kind.LEAD) or _has(said, Kind.HELLO):
        return [Speak("What would you like to order?" if not memory.lines else "What else would you like?")]
    if _has(said, Kind.THANKS):
        return [Speak("You are welcome. Anything else?")]
    return [Speak(NOT_UNDERSTOOD)]


def _offered(menu: Menu, last: Use | None) -> str | None:
    """What a refusal offered in the place of what was out."""
    if last is None or last.name != "change_order" or last.is_ok:
        return None
    refused = {str(change.get("item", "")).lower() for change in last.arguments.get("changes") or []}
    places = {
        item.name: last.say.lower().find(item.name.lower()) for item in menu.items if item.name.lower() not in refused
    }
    named = {name: place for name, place in places.items() if place >= 0}
    return min(named, key=lambda name: named[name]) if named else None


def _key(menu: Menu, text: str) -> list[Part]:
    if "asks for a person" in text:
        return _transfer(menu, [])
    return [Speak("You pressed a key. Just tell me what you would like.")]


def _transfer(menu: Menu, said: list[Phrase]) -> list[Part]:
    named = [phrase.name for phrase in said if phrase.kind is Kind.TARGET]
    targets = [target for target, _ in menu.targets]
    if not targets:
        return [Speak("I am sorry, nobody else is here right now. Can I help you with an order?")]
    return [
        Speak("One moment, I will connect you."),
        Call("transfer_call", {"target": named[0] if named else targets[0]}),
    ]


def _has(said: Sequence[Phrase], kind: Kind) -> bool:
    return any(phrase.kind is kind for phrase in said)
