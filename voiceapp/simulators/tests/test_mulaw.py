"""The µ-law tables against values of the ITU-T G.711 table."""

from __future__ import annotations

import struct

import pytest

from voiceapp.simulators import mulaw


@pytest.mark.parametrize(
    ("code", "sample"),
    [(0xFF, 0), (0x7F, 0), (0xFE, 8), (0x7E, -8), (0x80, 32124), (0x00, -32124), (0xF0, 120), (0xEF, 132)],
)
def test_a_code_decodes_to_the_sample_of_the_standard(code: int, sample: int) -> None:
    assert struct.unpack("<h", mulaw.decode(bytes([code]))) == (sample,)


def test_every_code_survives_a_round_trip() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is the second zero
    assert mulaw.encode(mulaw.decode(codes)) == codes


@pytest.mark.parametrize("sample", [-32768, -32767, 32767, 20000, -1, 1, 131, -132])
def test_the_error_is_at_most_half_a_step(sample: int) -> None:
    (decoded,) = struct.unpack("<h", mulaw.decode(mulaw.encode(struct.pack("<h", sample))))
    assert abs(decoded - sample) <= max(4, abs(sample) // 16 // 2 + 1, 32768 - 32124 if abs(sample) > 32124 else 0)
