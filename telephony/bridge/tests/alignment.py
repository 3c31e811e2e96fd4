"""Whether what was recorded stands where it was said and heard: 16-bit samples at 8 kHz beside each other."""

from __future__ import annotations

import wave
from array import array
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from recordings.finishing.audio import read_channel
from voiceapp.simulators import mulaw

STEP = 160  # bytes of 10 ms, the unit of the comparison
# Where sound begins, ends or is cut, of which a call has a few.
MOST_ENDS = 12
# Mean amplitude of speech.
LOUD = 400


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


def shifts_ms(
    found: bytes, truth: bytes, *, window_ms: int = 400, reach_ms: int = 100, may_miss: int = 0
) -> list[float]:
    """How much later each loud stretch of the truth stands in what an encoder has made of it, by correlation.

    `may_miss`: so many stretches may be different, where the sound is cut elsewhere.
    """
    samples, true = (np.frombuffer(each, "<i2").astype(np.float64) for each in (found, truth))
    window, reach = window_ms * 8, reach_ms * 8
    shifts = []
    for at in range(reach, min(len(true), len(samples)) - window - reach, window):
        part = true[at : at + window]
        if np.abs(part).mean() < LOUD:
            continue
        around = samples[at - reach : at + window + reach]
        likeness = np.correlate(around, part, "valid")
        energy = np.sqrt(np.convolve(around**2, np.ones(window), "valid") * (part**2).sum())
        likeness = likeness / np.maximum(energy, 1.0)
        if likeness.max() <= 0.7:
            may_miss -= 1
            assert may_miss >= 0, f"not there: {at // 8} ms"
            continue
        shifts.append((int(likeness.argmax()) - reach) / 8)
    return shifts


def shifts_anywhere_ms(found: bytes, truth: bytes, *, window_ms: int = 400) -> list[float]:
    """The same where nothing is known of where the truth begins: of the loud stretches that are found at all."""
    samples, true = (np.frombuffer(each, "<i2").astype(np.float64) for each in (found, truth))
    window, size = window_ms * 8, 1 << int(np.ceil(np.log2(len(samples) + window_ms * 8)))
    spectrum = np.fft.rfft(samples, size)
    squares = np.concatenate(([0.0], np.cumsum(samples**2)))
    energy = np.sqrt(np.maximum(squares[window:] - squares[:-window], 1.0))
    shifts = []
    for at in range(0, len(true) - window, window):
        part = true[at : at + window]
        if np.abs(part).mean() >= LOUD:
            likeness = np.fft.irfft(spectrum * np.conj(np.fft.rfft(part, size)), size)[: len(energy)]
            likeness /= energy * np.sqrt((part**2).sum())
            if likeness.max() > 0.7:
                shifts.append((int(likeness.argmax()) - at) / 8)
    return shifts


def shifts_apart_ms(
    found: Sequence[bytes], truth: Sequence[bytes], *, may_miss: int = 0, window_ms: int = 400
) -> list[list[float]]:
    """The same of lanes whose file begins at an unknown time, one for all: how far each stretch is from that."""
    anywhere = [shifts_anywhere_ms(lane, true) for lane, true in zip(found, truth, strict=True)]
    assert all(anywhere), "a lane is not there"
    begins = round(median(median(of_lane) for of_lane in anywhere)) * 16  # bytes
    return [
        shifts_ms(lane[max(begins, 0) :], true[max(-begins, 0) :], may_miss=may_miss, window_ms=window_ms)
        for lane, true in zip(found, truth, strict=True)
    ]


def assert_channels_stand(path: Path, lanes: Sequence[bytes | bytearray], *, within_ms: int = 20) -> None:
    """What a player plays of each channel, beside µ-law that begins with the file: from the first word to the last."""
    for channel, lane in enumerate(lanes):
        found = shifts_ms(b"".join(read_channel(path, channel=channel)), pcm(lane))
        assert len(found) >= 4
        assert max(map(abs, found)) <= within_ms, found
