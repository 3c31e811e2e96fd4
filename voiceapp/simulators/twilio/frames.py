"""Frames of telephone audio: 20 ms are 160 bytes of µ-law; their loudness, and the silent frame."""

from __future__ import annotations

import numpy as np

from voiceapp.simulators import mulaw

FRAME_MS = 20
FRAME_BYTES = 160
BYTES_PER_MS = 8
SILENCE = b"\xff" * FRAME_BYTES

#: Mean absolute sample from which a frame counts as voiced; comfort noise lies near 10, a quiet vowel near 400.
VOICED_LEVEL = 150
#: Speech that stops at this level was cut off: a voice fades below it before it ends.
ABRUPT_LEVEL = 1000

_STEP = 16
_LOUDNESS = np.minimum(np.abs(np.frombuffer(mulaw.decode(bytes(range(256))), "<i2").astype(int)) // _STEP, 255)
_LOUDNESS_OF = bytes(_LOUDNESS.tolist())


def level(audio: bytes) -> int:
    """Mean absolute sample of some µ-law, each sample counted up to 4,080."""
    if not audio:
        return 0
    return sum(audio.translate(_LOUDNESS_OF)) * _STEP // len(audio)


def is_voiced(audio: bytes) -> bool:
    return level(audio) >= VOICED_LEVEL


def milliseconds(audio: bytes | bytearray) -> int:
    return len(audio) // BYTES_PER_MS
