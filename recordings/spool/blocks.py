"""What the bridge's recorder writes down of a call: a block a second, and the file that they follow each other in.

A file begins with a line of JSON (`FileHeader`). Each block after it is a frame of 12 bytes (`VTB1`, the length and the
CRC-32 of what follows, little-endian) and MessagePack of a `Block`. A block that is cut off or changed ends the file:
those before it are complete by themselves. No Django here: the bridge imports it.
"""

from __future__ import annotations

import enum
import struct
import zlib
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import msgspec

FORMAT = "voiceapp-spool"
VERSION = 1
RATE = 8_000
BYTES_PER_MS = 8
MAGIC = b"VTB1"
_FRAME = struct.Struct("<4sII")
LONGEST_HEADER = 4_096
LONGEST_BLOCK = 64_000_000


class Heard(enum.IntEnum):
    """What the phone says of the agent's audio, or what we say to it."""

    ECHOED = 0  # all chunks before this one have been played
    CLEARED = 1  # what was not played of the chunks before this one is dropped
    ENDED = 2  # nothing is played any more


class Said(NamedTuple):
    """What a tape took down since it was read last; audio is base64 of µ-law, as it came.

    `caller`: where each unbroken stretch begins, in bytes of the stream's clock, and its frames. The agent's chunks are
    counted through the call, `first_chunk` is the number of the first one here; `sent_at_ms` and `sent_at_s` have one
    time for each. `heard`: what, before which chunk, when at the earliest and at the latest, and how many ms after the
    chunk before it its mark was sent. Times in ms are those of the stream's clock, which stands while the caller's
    frames wait to be read; `sent_at_s` is our own clock. `sent_again`: the chunks from the first up to the second
    number did not arrive on a line that broke, and were sent once more at these two times.
    """

    caller: Sequence[tuple[int, Sequence[str]]]
    first_chunk: int
    chunks: Sequence[str]
    sent_at_ms: Sequence[int]
    sent_at_s: Sequence[float]
    heard: Sequence[tuple[Heard, int, int, int, int]]
    sent_again: Sequence[tuple[int, int, int, float]] = ()


class FileHeader(msgspec.Struct):
    """The first line of a file. `channels` names the lanes in the order of the recording's channels."""

    tape: str
    call: str
    format: str = FORMAT
    version: int = VERSION
    encoding: str = "audio/x-mulaw"
    rate: int = RATE
    channels: tuple[str, str] = ("caller", "agent")


class Frames(msgspec.Struct, array_like=True, gc=False):
    """Base64 of µ-law as it came, one frame after the other, and how many characters each has.

    To decode it would be most of what a block costs; it is done after the call.
    """

    text: str
    lengths: list[int]

    def audio(self) -> list[bytes]:
        """The µ-law of each. What is no base64 is left out."""
        text, at, decoded = self.text, 0, []
        for length in self.lengths:
            decoded.append(_decoded(text[at : at + length]))
            at += length
        return decoded


class Block(msgspec.Struct, array_like=True, gc=False):
    """`Said`, as it is written. `own_ms`: `sent_at_s` in whole ms, as in the last number of `sent_again`."""

    caller: list[tuple[int, Frames]]
    first_chunk: int
    chunks: Frames
    sent_at_ms: list[int]
    own_ms: list[int]
    heard: list[tuple[int, int, int, int, int]]
    sent_again: list[tuple[int, int, int, int]] = []


class NotASpoolFile(ValueError):
    """The file does not begin as one of ours does."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Block)
_header_decoder = msgspec.json.Decoder(FileHeader)


def header_line(header: FileHeader) -> bytes:
    return msgspec.json.encode(header) + b"\n"


def packed(said: Said) -> bytes:
    """A block with its frame, ready to be appended."""
    content = _encoder.encode(
        Block(
            [(at, _frames(payloads)) for at, payloads in said.caller],
            said.first_chunk,
            _frames(said.chunks),
            [*said.sent_at_ms],
            [int(at_s * 1000) for at_s in said.sent_at_s],
            [*said.heard],
            [(first, end, at_ms, int(at_s * 1000)) for first, end, at_ms, at_s in said.sent_again],
        )
    )
    return _FRAME.pack(MAGIC, len(content), zlib.crc32(content)) + content


def _frames(payloads: Sequence[str]) -> Frames:
    return Frames("".join(payloads), [*map(len, payloads)])


def _decoded(payload: str) -> bytes:
    try:
        return a2b_base64(payload)
    except ValueError:
        return b""


def read_header(file: IO[bytes]) -> FileHeader:
    """Raises NotASpoolFile."""
    try:
        header = _header_decoder.decode(file.readline(LONGEST_HEADER))
    except msgspec.MsgspecError as exc:
        raise NotASpoolFile("The file does not begin with a header.") from exc
    if header.format != FORMAT or header.version != VERSION:
        raise NotASpoolFile(f"The file is {header.format} {header.version}, not {FORMAT} {VERSION}.")
    return header


def read_blocks(file: IO[bytes]) -> Iterator[Block]:
    """Those after the header, up to the first one that is not whole."""
    while len(frame := file.read(_FRAME.size)) == _FRAME.size:
        magic, length, checksum = _FRAME.unpack(frame)
        if magic != MAGIC or length > LONGEST_BLOCK:
            return
        content = file.read(length)
        if len(content) < length or zlib.crc32(content) != checksum:
            return
        try:
            block = _decoder.decode(content)
        except msgspec.MsgspecError:
            return
        yield block
