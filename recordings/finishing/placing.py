"""Where a file begins on the call's clock, found by what the agent said: each of its sentences begins after a silence.

A provider's time of the beginning is rounded to a second, or is the time of its request. The agent's lines have the
time at which the caller heard them, to 40 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from .audio import MS_OF_PEAK, Audio

# How far a provider's time may be wrong.
FARTHEST_MS = 3000
# Before a sentence, and after it has begun.
WINDOW_MS = 300
FEWEST_LINES = 3
# Of 1: every sentence begins there, after silence. What is found by chance is below.
LEAST_SCORE = 0.6

_WINDOW = WINDOW_MS // MS_OF_PEAK


def start_by_agent(audio: Audio, agent_spoke_at_ms: Sequence[int], *, near_ms: int) -> int:
    """In ms; `near_ms` where nothing better is found. The agent is in the last channel, or in the only one."""
    if len(agent_spoke_at_ms) < FEWEST_LINES:
        return near_ms
    loud_until = [0, *accumulate(audio.loud[-1])]
    # From near to far: of places that are as good, the nearest.
    steps = sorted(range(-FARTHEST_MS, FARTHEST_MS + 1, MS_OF_PEAK), key=abs)
    scores = {step: _score(loud_until, [at - near_ms - step for at in agent_spoke_at_ms]) for step in steps}
    best = max(steps, key=scores.__getitem__)
    return near_ms + best if scores[best] >= LEAST_SCORE else near_ms


def _score(loud_until: Sequence[int], begins_ms: Sequence[int]) -> float:
    """From -1 to 1: how much louder it is after these times than before them."""
    total = 0
    for begin in (each // MS_OF_PEAK for each in begins_ms):
        before, at, after = (
            min(max(edge, 0), len(loud_until) - 1) for edge in (begin - _WINDOW, begin, begin + _WINDOW)
        )
        total += (loud_until[after] - loud_until[at]) - (loud_until[at] - loud_until[before])
    return total / (_WINDOW * len(begins_ms))
