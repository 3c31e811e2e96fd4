"""The briefing of an agent before it answers a call. Plain values: no Django, so that the bridge may hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from .spending import SpendingLimit


class FunctionTool(TypedDict):
    """A function tool in the shape of OpenAI's GA session (`session.tools[]`)."""

    type: str
    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How the provider decides that the caller began and stopped speaking (`audio.input.turn_detection`)."""

    kind: str = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    eagerness: str = "auto"
    interrupts: bool = True


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The deadlines of one call, from its agent's settings and the installation's."""

    reprompt_after_ms: int = 8_000
    goodbye_after_ms: int = 20_000
    filler_after_ms: int = 1_500
    longest_call_ms: int = 30 * 60_000
    roll_over_after_ms: int = 55 * 60_000
    tool_ends_within_ms: int = 10_000
    spending: SpendingLimit | None = None  # None: what the call costs does not end it

    @property
    def tool_commits_within_ms(self) -> int:
        """A tool changes nothing later than this, so that one that is given up was not done."""
        return self.tool_ends_within_ms * 9 // 10


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the agent says when the bridge, not the model, decides that something must be said."""

    greeting: str
    reprompt: str = "Are you still there?"
    filler: str = "One moment, please."
    missed: str = "Sorry, I did not catch that. Could you say it again, please?"
    silence_goodbye: str = "I cannot hear you, so I will hang up now. Goodbye."
    time_goodbye: str = "We have reached the longest time for a call. Goodbye."
    not_taken: str = "Nobody takes the call just now. Can I help you with anything else?"


@dataclass(frozen=True, slots=True)
class Briefing:
    """Everything the bridge needs to let one agent answer one call."""

    call_id: str
    model: str
    voice: str
    language: str
    instructions: str
    keywords: tuple[str, ...]
    tools: tuple[FunctionTool, ...]
    phrases: Phrases
    transcription_model: str
    provider: str = "openai"  # which AI provider plays the agent (telephony/live/providers.py)
    fallback_provider: str = ""  # which one plays it when that one does not answer at the start of the call
    assistant_id: str = ""  # the provider's own id of the agent, where it keeps agents
    assistant: Mapping[str, object] = field(default_factory=dict, repr=False)  # or the agent as it wants it described
    facts: str = ""  # the part of `instructions` that changes from day to day: hours, what is sold, who is there
    noise_reduction: str | None = None
    turn_detection: TurnDetection = TurnDetection()
    limits: CallLimits = CallLimits()
    protects_greeting: bool = False
    greeting_audio: bytes = field(default=b"", repr=False)  # the greeting as µ-law at 8 kHz, kept from before the call
    reading_tools: frozenset[str] = frozenset()  # those of `tools` that change nothing: they may run at once
    stop_key: str = ""  # the key of the phone with which the caller stops the recording, if the call is recorded
    recording: str = "off"  # which source records the call: `recording` of the agent, in a room its `room_recording`

    def without_prompt(self) -> Briefing:
        """Without what only the provider's session needs: a call would hold several KB of it to its end."""
        return replace(self, instructions="", facts="", keywords=(), assistant={})

    def for_fallback(self) -> Briefing:
        """The same agent, played by the other provider."""
        return replace(self, provider=self.fallback_provider, fallback_provider="")
