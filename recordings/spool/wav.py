"""A spool file as a WAV file: two channels of 16 bits at 8 kHz, the caller first, both on the stream's clock.

The file is read twice, first for the times alone. Memory holds one minute of audio, and a few numbers for each chunk.
"""

from __future__ import annotations

import wave
from pathlib import Path

from .blocks import BYTES_PER_MS, RATE, read_blocks, read_header
from .placing import placed
from .sent import Sent

SILENCE = b"\xff"
# Audio comes at most so much later than what follows it on the clock: a transport that was held up.
LATEST = 30_000 * BYTES_PER_MS
WRITTEN_AT_ONCE = 30_000 * BYTES_PER_MS


def _linear(code: int) -> int:
    """A 16-bit sample of one byte of µ-law, by G.711."""
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3) + 0x84 << (code >> 4 & 0x07)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


_LOW = bytes(_linear(code) & 0xFF for code in range(256))
_HIGH = bytes(_linear(code) >> 8 & 0xFF for code in range(256))


class _Channels:
    """Both lanes of audio from `_base` on; what is older is in the file."""

    def __init__(self, file: wave.Wave_write) -> None:
        self._file = file
        self._base = 0
        self._lanes = (bytearray(), bytearray())

    def put(self, lane: int, at: int, audio: bytes) -> None:
        """What was there already is replaced: silence, or the overlap of a frame that came early."""
        at -= self._base
        if at < 0:  # it came later than anything does
            audio, at = audio[-at:], 0
        if not audio:
            return
        held = self._lanes[lane]
        if len(held) < at:
            held += SILENCE * (at - len(held))
        held[at : at + len(audio)] = audio
        if len(held) > LATEST + WRITTEN_AT_ONCE:
            self._write(WRITTEN_AT_ONCE)

    def finish(self) -> None:
        self._write(max(map(len, self._lanes)))

    def _write(self, count: int) -> None:
        samples = bytearray(4 * count)
        for lane, held in enumerate(self._lanes):
            audio = bytes(held[:count]).ljust(count, SILENCE)
            samples[2 * lane :: 4] = audio.translate(_LOW)
            samples[2 * lane + 1 :: 4] = audio.translate(_HIGH)
            del held[:count]
        self._base += count
        self._file.writeframesraw(samples)


def write_wav(spool_file: Path, into: Path) -> int:
    """Returns its length in ms; 0 if the call had no audio. Raises NotASpoolFile, or OSError."""
    where = placed(_sent(spool_file))
    with spool_file.open("rb") as file, wave.open(str(into), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        channels = _Channels(out)
        read_header(file)
        for block in read_blocks(file):
            for at, frames in block.caller:
                channels.put(0, at, b"".join(frames.audio()))
            for chunk, audio in enumerate(block.chunks.audio(), block.first_chunk):
                channels.put(1, where.starts[chunk], audio[: where.sizes[chunk]])
        channels.finish()
        out.writeframes(b"")
        return out.getnframes() * 1000 // RATE


def _sent(spool_file: Path) -> Sent:
    sent = Sent()
    with spool_file.open("rb") as file:
        read_header(file)
        for block in read_blocks(file):
            sent.add(block)
    return sent
