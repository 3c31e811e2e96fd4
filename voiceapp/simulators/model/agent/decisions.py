"""Decides what the agent does next from the conversation alone: it speaks, calls a function, or both."""

from __future__ import annotations

from collections.abc import Sequence

from voiceapp.simulators.model.agent import appointment_decisions, order_decisions
from voiceapp.simulators.model.agent.call_state import CallState, call_state_of
from voiceapp.simulators.model.agent.menu import PromptMenu, read_menu
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.agent.phrases import SpokenPhrase, parser_for
from voiceapp.simulators.model.agent.replies import GOODBYE, NOT_POSSIBLE, NOTE, PRESSED, RECORDING, after_key
from voiceapp.simulators.model.conversation import ModelBrief, Turn
from voiceapp.simulators.model.spelling import spoken


def decide(brief: ModelBrief, conversation: Sequence[Turn]) -> list[Output]:
    """The outputs of the next response; none if the goodbye was said already."""
    menu = read_menu(brief.instructions)
    state = call_state_of(conversation)
    reader = parser_for(menu)
    phrases = reader.read(spoken(state.heard.text)) if state.heard is not None and state.heard.text else []
    outputs = _outputs(menu, state, phrases)
    tools = {tool.name for tool in brief.tools}
    possible = [each for each in outputs if isinstance(each, Speech) or each.name in tools]
    return possible or ([Speech(NOT_POSSIBLE)] if outputs else [])


def _outputs(menu: PromptMenu, state: CallState, phrases: list[SpokenPhrase]) -> list[Output]:
    books = bool(menu.services)
    if state.new_results:
        if state.new_results[-1].name == "end_call":
            return [] if state.last_said.endswith(GOODBYE) else [Speech(GOODBYE)]
        after_tools = appointment_decisions.after_tools if books else order_decisions.after_tools
        return after_tools(menu, state, phrases)
    if state.heard is None:
        return [Speech("Hello! What can I do for you?")]
    if (state.heard.text or "").startswith(PRESSED):
        return after_key(menu, state.heard.text or "")
    if note := NOTE.match(state.heard.text or ""):
        return [Speech(note[1])]
    if RECORDING.search(state.heard.text or ""):
        return [FunctionCall("stop_recording")]
    after_caller = appointment_decisions.after_caller if books else order_decisions.after_caller
    return after_caller(menu, state, phrases)
