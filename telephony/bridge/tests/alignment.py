"""Whether what was recorded stands where it was said and heard: 16-bit samples at 8 kHz beside each other."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

from voiceapp.simulators import mulaw

STEP = 160  # bytes of 10 ms, the unit of the comparison
# Where sound begins, ends or is cut, of which a call has a few.
MOST_ENDS = 12


def lanes_of(wav: Path) -> tuple[bytes, bytes]:
    """The caller's samples and the agent's."""
    with wave.open(str(wav)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        samples = array("h", file.readframes(file.getnframes()))
    return samples[::2].tobytes(), samples[1::2].tobytes()


def pcm(ulaw: bytes | bytearray, *, like: bytes = b"") -> bytes:
    """As 16-bit samples, as long as the other: what follows is silence."""
    samples = mulaw.decode(bytes(ulaw))
    if like:
        assert not any(samples[len(like) :])
        samples = samples[: len(like)].ljust(len(like), b"\0")
    return samples


def assert_placed(agent: bytes, heard: bytes | bytearray, *, within_ms: int = 20) -> None:
    """Whatever the phone has played is within so many ms of its place, and nothing else is there."""
    truth = pcm(heard)
    assert_within(agent, truth, within_ms)
    assert_within(truth, agent, within_ms)


def assert_within(found: bytes, truth: bytes, within_ms: int) -> None:
    """Each 10 ms of sound stand in the other one, too, not farther; where sound ends, as much may be missing."""
    reach = 16 * within_ms
    missing = [
        at // 16
        for at in range(0, len(found) - STEP, STEP)
        if any(part := found[at : at + STEP]) and not stands_in(part, truth[max(at - reach, 0) : at + STEP + reach])
    ]
    ends = [at for at in missing if at - 10 not in missing]
    too_long = [at for at in ends if not {at + 10, at + 20, at + within_ms + 10} - {*missing}]
    assert not too_long, f"not there: {missing} ms"
    assert len(ends) <= MOST_ENDS, missing


def stands_in(part: bytes, truth: bytes) -> bool:
    at = truth.find(part)
    while at % 2 and at >= 0:
        at = truth.find(part, at + 1)
    return at >= 0
