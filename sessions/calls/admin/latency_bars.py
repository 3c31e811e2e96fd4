"""The response time of each turn as bars, computed here: the page needs no script to draw them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions.calls.models import Turn

PARTS = (
    ("detection", _("Speech end detection")),
    ("model", _("AI provider: first audio")),
    ("playout", _("Playback to the caller")),
)
WIDTH = 1000
SHORTEST_SCALE_MS = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, in thousandths of the picture's width."""

    kind: str
    x: int
    width: int
    ms: int


@dataclass(frozen=True, slots=True)
class Bar:
    turn: int
    ms: int
    parts: tuple[Part, ...]
    is_interrupted: bool
    is_slow: bool

    @property
    def text(self) -> str:
        """What the bar shows, for screen readers."""
        parts = ", ".join(f"{part.kind} {part.ms} ms" for part in self.parts)
        return gettext("Turn %(turn)s: %(ms)s ms (%(parts)s)") % {"turn": self.turn, "ms": self.ms, "parts": parts}


SLOW_MS = 1500


def bars(turns: Iterable[Turn]) -> list[Bar]:
    """One bar per answered turn, on one scale."""
    answered = [(turn, turn.response_ms) for turn in turns if turn.response_ms is not None]
    scale = max([SHORTEST_SCALE_MS, *(ms for _, ms in answered)])
    return [_bar(turn, ms, scale) for turn, ms in answered]


def _bar(turn: Turn, response_ms: int, scale: int) -> Bar:
    parts: list[Part] = []
    begins_ms = 0
    for kind, _label in PARTS:
        ms: int | None = getattr(turn, f"{kind}_ms")
        if ms:
            _add(parts, kind, begins_ms, min(ms, max(response_ms - begins_ms, 0)), scale)
            begins_ms += ms
    if begins_ms < response_ms:
        _add(parts, "rest", begins_ms, response_ms - begins_ms, scale)
    return Bar(turn.number, response_ms, tuple(parts), turn.is_interrupted, response_ms > SLOW_MS)


def _add(parts: list[Part], kind: str, begins_ms: int, ms: int, scale: int) -> None:
    if ms > 0:
        parts.append(Part(kind, begins_ms * WIDTH // scale, max(ms * WIDTH // scale, 1), ms))
