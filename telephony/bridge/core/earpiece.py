"""What both sides of a call say at this moment, for people who listen in. There is none while nobody does.

The agent's audio is sent to the phone ahead of time; here it waits until the phone has come to it.
"""

from __future__ import annotations

from collections.abc import Callable

from .ports import CallerLine
from .ulaw import BYTES_PER_MS, SILENCE, decoded

Hear = Callable[[str, int], None]

# The caller's sound that waits beyond this is dropped: frames that were held up come all at once.
MOST_BEHIND = 200 * BYTES_PER_MS
# A loop that stood still for longer has nothing to make good.
LONGEST_MS = 1_000


class Earpiece:
    """Between a call and both of its sides: a CallerLine for the ledger, and `hear` for the caller's frames.

    `take` often: it holds everything since it was taken last.
    """

    __slots__ = ("_agent", "_agent_waiting", "_caller", "_caller_waiting", "_taken_ms", "line", "pass_on")

    def __init__(self, line: CallerLine, pass_on: Hear, *, on_its_way: int) -> None:
        """`line` and `pass_on`: where the frames of both sides go on to. `on_its_way`: how many bytes of the agent's
        were sent before, and will be heard before all that comes now.
        """
        self.line = line
        self.pass_on = pass_on
        self._caller: list[str] = []
        self._agent: list[str] = []
        self._caller_waiting = bytearray()
        self._agent_waiting = bytearray(SILENCE * on_its_way)
        self._taken_ms: int | None = None

    def hear(self, payload: str, size: int, /) -> None:
        self._caller.append(payload)
        self.pass_on(payload, size)

    def play(self, payload: str) -> None:
        self._agent.append(payload)
        self.line.play(payload)

    def mark(self, name: str) -> None:
        self.line.mark(name)

    def clear(self) -> None:
        self._agent.clear()
        self._agent_waiting.clear()
        self.line.clear()

    def take(self, now_ms: int) -> tuple[bytes, bytes] | None:
        """What the caller and the agent have said since the last time: µ-law at 8 kHz, both of one length.

        None the first time, from which on it counts.
        """
        self._agent_waiting += _joined(self._agent)
        self._caller_waiting += _joined(self._caller)
        before_ms, self._taken_ms = self._taken_ms, now_ms
        if before_ms is None:
            self._caller_waiting.clear()
            return None
        size = min(now_ms - before_ms, LONGEST_MS) * BYTES_PER_MS
        del self._caller_waiting[: max(0, len(self._caller_waiting) - size - MOST_BEHIND)]
        return _first(self._caller_waiting, size), _first(self._agent_waiting, size)


def _joined(payloads: list[str]) -> bytes:
    audio = b"".join(decoded(payload) or b"" for payload in payloads)
    payloads.clear()
    return audio


def _first(waiting: bytearray, size: int) -> bytes:
    """Taken out of what waits, with silence where there is less."""
    taken = bytes(waiting[:size])
    del waiting[:size]
    return taken.ljust(size, SILENCE)
