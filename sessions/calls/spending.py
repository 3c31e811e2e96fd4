"""What one call may cost, and what it has cost so far. Plain values: no Django, so that the bridge may count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .usage import counts_of

# The longest response of a call with a limit, about 100 s of speech: the session is told so.
MOST_OUTPUT_TOKENS = 2000
# What the caller says and the tools answer before a response: a minute of speech.
NEW_AUDIO_TOKENS, NEW_TEXT_TOKENS = 600, 2000
AUDIO, TEXT = ("audio_in", "audio_cached", "audio_out"), ("text_in", "text_cached", "text_out")


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """`rates`: US dollars per token or second of each kind, by model. `model` is the one that speaks."""

    most_usd: float
    model: str
    rates: Mapping[str, Mapping[str, float]]

    def cost_of(self, model: str, counted: Mapping[str, float]) -> float:
        """A model without a known price counts as the one that speaks; a kind without one as its dearest."""
        rates = self.rates.get(model) or self.rates[self.model]
        dearest = max(rates.values())
        return sum(rates.get(kind, dearest) * count for kind, count in counted.items())

    def most_of_the_rest(self, *, text: float, audio: float) -> float:
        """The most that one more response and the farewell cost, after a conversation of so many tokens.

        Each reads the conversation before it, as if nothing of it were cached.
        """
        return self._most_of_a_response(text, audio) + self._most_of_a_response(
            text + NEW_TEXT_TOKENS, audio + NEW_AUDIO_TOKENS + MOST_OUTPUT_TOKENS
        )

    def _most_of_a_response(self, text: float, audio: float) -> float:
        read = {"text_in": text + NEW_TEXT_TOKENS, "audio_in": audio + NEW_AUDIO_TOKENS}
        return self.cost_of(self.model, {**read, "audio_out": MOST_OUTPUT_TOKENS})


class Spending:
    """Counts what the provider reports of one call."""

    __slots__ = (
        "_limit",
        "_rest_usd",
        "_spent_usd",
    )

    def __init__(self, limit: SpendingLimit | None) -> None:
        self._limit = limit
        self._spent_usd = self._rest_usd = 0.0

    def add(self, model: str, usage: Mapping[str, object]) -> None:
        if self._limit is None:
            return
        counted = counts_of(usage)
        self._spent_usd += self._limit.cost_of(model, counted)
        if model == self._limit.model:
            text, audio = (sum(counted.get(kind, 0) for kind in kinds) for kinds in (TEXT, AUDIO))
            self._rest_usd = self._limit.most_of_the_rest(text=text, audio=audio)

    @property
    def is_used_up(self) -> bool:
        """Only the farewell is still affordable, whatever it costs."""
        return self._limit is not None and self._spent_usd + self._rest_usd > self._limit.most_usd
