"""What every agent says and does, whatever its trade: greetings, transfers, goodbyes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.agent.phrases import SpokenPhrase
from voiceapp.simulators.model.agent.vocabulary import Meaning

NOT_UNDERSTOOD = "Sorry, I didn't catch that. Could you say it again, please?"
ANYTHING_ELSE = "Anything else?"
NOT_POSSIBLE = "I am sorry, I cannot help with that."
GOODBYE = "Thank you for calling. Goodbye!"
PRESSED = "[The caller pressed "
# “Please don't record this.” It has no other sense where an order or an appointment is made.
RECORDING = re.compile(r"\b(record|recorded|recording)\b", re.IGNORECASE)
# What the application wants to be told to the caller.
NOTE = re.compile(r"\[Note for you: (.*) Tell the caller\.\]")


def has(phrases: Sequence[SpokenPhrase], kind: Meaning) -> bool:
    return any(phrase.kind is kind for phrase in phrases)


def goodbye() -> list[Output]:
    return [Speech(GOODBYE), FunctionCall("end_call")]


def text_message(phrases: Sequence[SpokenPhrase], *, otherwise: str) -> list[Output]:
    """The caller wants something by text message: what the words name, otherwise what this agent makes."""
    words = " ".join(phrase.words for phrase in phrases if phrase.kind is Meaning.TEXT)
    named = {"menu": "menu", "link": "menu", "order": "order", "appointment": "appointment"}
    return [FunctionCall("send_text", {"about": next((named[word] for word in named if word in words), otherwise)})]


def after_key(menu: PromptMenu, text: str) -> list[Output]:
    if "asks for a person" in text:
        return transfer(menu, [])
    return [Speech("You pressed a key. Just tell me what you would like.")]


def transfer(menu: PromptMenu, phrases: Sequence[SpokenPhrase]) -> list[Output]:
    named = [phrase.name for phrase in phrases if phrase.kind is Meaning.TARGET]
    targets = [target for target, _ in menu.targets]
    if not targets:
        return [Speech("I am sorry, nobody else is here right now. Can I help you?")]
    return [
        Speech("One moment, I will connect you."),
        FunctionCall("transfer_call", {"target": named[0] if named else targets[0]}),
    ]
