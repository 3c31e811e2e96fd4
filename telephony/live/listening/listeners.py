"""Those who listen in on one live call, and what they get: lines of the transcript as they grow, and both voices.

There is no such object, and no work for it, while nobody listens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from sessions.calls.facts import Fact, LineSpoken
from sessions.calls.listenings import MOST_LISTENERS
from sessions.calls.services import LONGEST_ITEM_ID
from sessions.calls.short_ids import short_id
from telephony.bridge.agent_side import AgentSide
from telephony.bridge.core.earpiece import Earpiece
from telephony.bridge.phone_call import PhoneCall

# A caption as JSON, or sound: µ-law at 8 kHz, first what the caller said, then the agent in the same time.
Frame = str | bytes

_json = json.JSONEncoder(separators=(",", ":")).encode

ENDED = '{"event":"ended"}'


@dataclass(eq=False, slots=True)
class Listener:
    """`hear` takes a frame at once and without waiting: one that cannot keep up loses sound.

    `gone` is set by either side: it hears nothing more.
    """

    hear: Callable[[Frame], None]
    wants_sound: bool
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def wants_lines(self) -> bool:
        return not self.wants_sound


class Listeners:
    """Of one call. `tick` ten times a second; the shell drops the object when it `is_empty`."""

    def __init__(self, *, keeps_lines: bool) -> None:
        """`keeps_lines`: somebody else reads the lines of this call, whoever listens in."""
        self._listeners: list[Listener] = []
        self._keeps_lines = keeps_lines
        self._shows_lines = False
        self._earpiece: Earpiece | None = None
        self._lines: dict[str, tuple[LineSpoken, bool]] = {}

    @property
    def is_empty(self) -> bool:
        return not self._listeners

    def add(self, listener: Listener) -> bool:
        """False if there are too many of its kind."""
        if sum(each.wants_sound == listener.wants_sound for each in self._listeners) >= MOST_LISTENERS:
            return False
        self._listeners.append(listener)
        return True

    def tick(self, core: AgentSide, now_ms: int) -> None:
        """Let in those who came, forget those who left, and pass on what was said."""
        self._listeners = [each for each in self._listeners if not each.gone.is_set()]
        shows = any(each.wants_lines for each in self._listeners)
        if shows != self._shows_lines:
            self._shows_lines = shows
            core.show_lines(shows or self._keeps_lines)
        if self._lines:
            self._pass_lines()
        if isinstance(core, PhoneCall):
            self._pass_sound(core, now_ms)

    def fact(self, fact: Fact, *, is_final: bool) -> None:
        """A line of the transcript, which is_final, or grows. Other facts are not for listeners.

        A line that grows several times between two ticks is passed on once.
        """
        if isinstance(fact, LineSpoken):
            self._lines[fact.item_id] = fact, is_final

    def end(self) -> None:
        """The call is over here."""
        self._pass_lines()
        for each in self._listeners:
            each.hear(ENDED)
            each.gone.set()

    def _pass_lines(self) -> None:
        frames = [caption_frame(line, is_final=is_final) for line, is_final in self._lines.values()]
        self._lines.clear()
        for each in self._listeners:
            if each.wants_lines:
                for frame in frames:
                    each.hear(frame)

    def _pass_sound(self, core: PhoneCall, now_ms: int) -> None:
        if not any(each.wants_sound for each in self._listeners):
            if self._earpiece is not None:
                core.end_listening()
                self._earpiece = None
            return
        if self._earpiece is None:
            self._earpiece = core.begin_listening()
        if (said := self._earpiece.take(now_ms)) is not None:
            frame = b"".join(said)
            for each in self._listeners:
                if each.wants_sound:
                    each.hear(frame)


def caption_frame(line: LineSpoken, *, is_final: bool) -> str:
    caption = {
        "id": short_id(line.item_id, longest=LONGEST_ITEM_ID),
        "who": line.speaker.value,
        "text": line.text,
        "atMs": line.spoken_at_ms,
        "isFinal": is_final,
        "wasInterrupted": line.is_cut,
    }
    return _json({"event": "caption", "caption": caption})
