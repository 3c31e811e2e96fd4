"""How many SMS a text takes: GSM-7 where its characters allow it, else UCS-2 (3GPP TS 23.038)."""

from __future__ import annotations

from dataclasses import dataclass

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each takes two places: an escape comes before it.
GSM_7_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class Size:
    """`units` are what the encoding counts: places of 7 bits, or of 16."""

    encoding: str
    units: int
    segments: int
    not_gsm: str = ""  # the characters that make it UCS-2


def size_of(body: str) -> Size:
    """The size of a text. A character of two units is never split between two segments."""
    not_gsm = "".join(dict.fromkeys(each for each in body if each not in GSM_7 and each not in GSM_7_EXTENDED))
    if not_gsm:
        widths = [2 if ord(each) > 0xFFFF else 1 for each in body]
        return Size("UCS-2", sum(widths), _segments(widths, alone=70, joined=67), not_gsm)
    widths = [2 if each in GSM_7_EXTENDED else 1 for each in body]
    return Size("GSM-7", sum(widths), _segments(widths, alone=160, joined=153))


def _segments(widths: list[int], *, alone: int, joined: int) -> int:
    if sum(widths) <= alone:
        return 1
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return count
