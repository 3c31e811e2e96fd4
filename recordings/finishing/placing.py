"""Where a file begins on the call's clock, found by what the agent said: each of its sentences begins after a silence.

A provider's time of the beginning is rounded to a second, or is the time of its request. The agent's lines have the
time at which the caller began to hear them, to 20 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from .audio import MS_OF_PEAK, Audio

# How far a provider's time may be wrong.
FARTHEST_MS = 3000
# Before a sentence, and after it has begun.
WINDOW_MS = 300
# Of the sentences that are in the file, if there are so many or more.
FEWEST_LINES = 2
# Of 1: every sentence begins there, after silence. What is found by chance is below, of two sentences not so far.
LEAST_SCORE = 0.6
LEAST_SCORE_OF_TWO = 0.75

_WINDOW = WINDOW_MS // MS_OF_PEAK


def start_by_agent(audio: Audio, agent_spoke_at_ms: Sequence[int], *, near_ms: int) -> int:
    """In ms; `near_ms` where nothing better is found. The agent is in the last channel, or in the only one."""
    loud_until = [0, *accumulate(audio.loud[-1])]
    # From near to far: of places that are as good, the nearest.
    steps = sorted(range(-FARTHEST_MS, FARTHEST_MS + 1, MS_OF_PEAK), key=abs)
    found = {step: _found(loud_until, [at - near_ms - step for at in agent_spoke_at_ms]) for step in steps}
    # A sentence that begins neither loud nor after silence speaks against a place.
    best = max(steps, key=lambda step: found[step][0] - found[step][1] * _WINDOW / 2)
    louder, count = found[best]
    least = LEAST_SCORE_OF_TWO if count == FEWEST_LINES else LEAST_SCORE
    return near_ms + best if count >= FEWEST_LINES and louder >= least * count * _WINDOW else near_ms


def _found(loud_until: Sequence[int], begins_ms: Sequence[int]) -> tuple[int, int]:
    """How much louder it is after these times than before them, in all; and how many of them are in the file."""
    total = count = 0
    for begin in (round(each / MS_OF_PEAK) for each in begins_ms):
        before, after = begin - _WINDOW, begin + _WINDOW
        if before >= 0 and after < len(loud_until):
            total += loud_until[after] - 2 * loud_until[begin] + loud_until[before]
            count += 1
    return total, count
