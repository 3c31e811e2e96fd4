"""What a recorded caller said, as separate utterances: µ-law at 8 kHz, without the silence between them."""

from __future__ import annotations

import array
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from recordings.finishing.audio import MS_OF_PEAK, NoAudio, read_audio, read_channel
from telephony.bridge.core.ulaw import BYTES_PER_MS, encode
from voiceapp.core.errors import ApplicationError

# A pause within a sentence is shorter.
PAUSE_MS = 700
# A click is shorter than a word.
LEAST_LOUD_MS = 80
BEFORE_MS, AFTER_MS = 150, 250
# Of our recordings (recordings/lines.py), and of a file with one channel.
CALLER = 0


def utterances_of(path: Path) -> Sequence[bytes]:
    """Each without the silence around it. Raises ApplicationError for a file that cannot be read or is silent."""
    try:
        audio = read_audio(path)
        pcm = b"".join(read_channel(path, channel=CALLER))
    except (NoAudio, OSError) as exc:
        raise ApplicationError(f"{path} cannot be read: {exc}") from exc
    sound = _ulaw(pcm)
    found = [
        sound[max(0, begin - BEFORE_MS) * BYTES_PER_MS : (end + AFTER_MS) * BYTES_PER_MS]
        for begin, end in spans(audio.loud[CALLER])
    ]
    if not found:
        raise ApplicationError(f"Nobody speaks in {path}: its first channel has to be the caller's.")
    return found


def spans(loud: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of each utterance in ms. `loud`: a byte for each 10 ms."""
    begin = end = -1
    count = 0
    for at, is_loud in enumerate(loud):
        if not is_loud:
            continue
        if begin >= 0 and (at - end) * MS_OF_PEAK > PAUSE_MS:
            if count * MS_OF_PEAK >= LEAST_LOUD_MS:
                yield begin * MS_OF_PEAK, end * MS_OF_PEAK
            begin, count = -1, 0
        begin = at if begin < 0 else begin
        end = at + 1
        count += 1
    if begin >= 0 and count * MS_OF_PEAK >= LEAST_LOUD_MS:
        yield begin * MS_OF_PEAK, end * MS_OF_PEAK


def _ulaw(pcm: bytes) -> bytes:
    table = _table()
    return bytes(table[sample + 32768] for sample in array.array("h", pcm))


@cache
def _table() -> bytes:
    return bytes(encode(sample) for sample in range(-32768, 32768))
