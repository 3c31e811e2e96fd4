"""Playable files of silence: two channels of Opus in an Ogg or MP4 container."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_FRAME_S = 0.02
_RATE = 48_000
_FRAME_SAMPLES = 960
_PRE_SKIP = 312
_CHANNELS = 2
# RFC 6716: 20 ms of CELT, full band, stereo, one frame, nothing in it.
_FRAME = b"\xfc\xff\xfe"
_FRAMES_PER_PAGE = 50
_SERIAL = 0x4C4B


def ogg(duration_s: float) -> bytes:
    """RFC 7845: a page of head, a page of tags, pages of a second each."""
    count = _frame_count(duration_s)
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, _CHANNELS, _PRE_SKIP, _RATE, 0, 0)
    vendor = b"voiceapp simulator of livekit"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)
    pages = [_page([head], number=0, granule=0, flags=2), _page([tags], number=1, granule=0)]
    for number, begin in enumerate(range(0, count, _FRAMES_PER_PAGE), start=2):
        end = min(begin + _FRAMES_PER_PAGE, count)
        flags = 4 if end == count else 0
        pages.append(_page([_FRAME] * (end - begin), number=number, granule=end * _FRAME_SAMPLES, flags=flags))
    return b"".join(pages)


def mp4(duration_s: float) -> bytes:
    """ISO base media with an Opus track (opus-in-isobmff): one chunk of equal samples."""
    count = _frame_count(duration_s)
    length = count * _FRAME_SAMPLES
    kinds = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
    # The samples come before the index, so that their place is known.
    samples = _box(b"mdat", _FRAME * count)
    offset = len(kinds) + 8
    specific = _box(b"dOps", struct.pack(">BBHIhB", 0, _CHANNELS, _PRE_SKIP, _RATE, 0, 0))
    entry = _box(b"Opus", struct.pack(">6xH8xHHHHI", 1, _CHANNELS, 16, 0, 0, _RATE << 16), specific)
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, count, _FRAME_SAMPLES)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
        _full(b"stsz", struct.pack(">II", len(_FRAME), count)),
        _full(b"stco", struct.pack(">II", 1, offset)),
    )
    reference = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, _RATE, length, 0x55C4, 0)),
        _full(b"hdlr", struct.pack(">I4s12x", 0, b"soun"), b"sound\0"),
        _box(b"minf", _full(b"smhd", struct.pack(">hH", 0, 0)), reference, table),
    )
    unit = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = struct.pack(">IIIII8xhhhH", 0, 0, 1, 0, length, 0, 0, 0x100, 0)
    track = _box(b"trak", _full(b"tkhd", head, unit, struct.pack(">II", 0, 0), flags=7), media)
    movie = struct.pack(">IIIIIH10x", 0, 0, _RATE, length, 0x10000, 0x100)
    return kinds + samples + _box(b"moov", _full(b"mvhd", movie, unit, struct.pack(">24xI", 2)), track)


def _frame_count(duration_s: float) -> int:
    return max(1, round(duration_s / _FRAME_S))


def _page(packets: list[bytes], *, number: int, granule: int, flags: int = 0) -> bytes:
    """RFC 3533. Every packet here is shorter than 255 bytes, so it takes one segment."""
    lacing = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, _SERIAL, number, 0) + bytes([len(lacing)]) + lacing
    page = head + b"".join(packets)
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _checksum_table() -> list[int]:
    table = []
    for byte in range(256):
        register = byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)
        table.append(register & 0xFFFFFFFF)
    return table


_TABLE = _checksum_table()


def _checksum(page: Iterable[int]) -> int:
    """Ogg's own: not reflected, no start value, no inversion."""
    register = 0
    for byte in page:
        register = (register << 8 & 0xFFFFFFFF) ^ _TABLE[register >> 24 ^ byte]
    return register


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, *content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *content)
