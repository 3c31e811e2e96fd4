"""Speech that can be checked: each 20 ms frame names its call and its place in it, in bytes that no other frame has."""

from __future__ import annotations

import random
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass
from functools import cache
from struct import Struct

FRAME_BYTES = 160
FRAME_MS = 20
# A mark of ours, the call, the sequence number and its complement: 12 bytes, which are 16 characters of base64.
_HEAD = Struct("!HHII")
_OURS = 0xB5C3
_TAILS = 8


@cache
def _tail(call: int, turn: int) -> bytes:
    noise = random.Random(call * _TAILS + turn).randbytes(FRAME_BYTES - _HEAD.size)
    return b2a_base64(noise, newline=False)


def make_frame(call: int, sequence: int) -> bytes:
    """The frame's 160 µ-law bytes, in base64 as both wires carry them."""
    head = _HEAD.pack(_OURS, call, sequence, sequence ^ 0xFFFFFFFF)
    return b2a_base64(head, newline=False) + _tail(call, sequence % _TAILS)


def read_frame(payload: bytes) -> tuple[int, int] | None:
    """The call and sequence number of an unharmed frame of anybody's; None for anything else."""
    try:
        head = a2b_base64(payload[:16])
    except Base64Error:
        return None
    if len(head) != _HEAD.size:
        return None
    _, call, sequence, _ = _HEAD.unpack(head)
    return (call, sequence) if payload == make_frame(call, sequence) else None


def split_audio(payload: bytes) -> list[bytes]:
    """Cuts audio that was joined on its way into frames again."""
    try:
        audio = a2b_base64(payload)
    except Base64Error:
        return [payload]
    return [b2a_base64(audio[at : at + FRAME_BYTES], newline=False) for at in range(0, len(audio), FRAME_BYTES)]


@dataclass(slots=True)
class Faults:
    """What went wrong with frames on their way."""

    lost: int = 0
    reordered: int = 0
    duplicated: int = 0
    corrupt: int = 0
    cross_talk: int = 0

    def add(self, other: Faults) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def worse_of(self, other: Faults) -> Faults:
        """Of each kind the larger number of the two."""
        return Faults(*(max(getattr(self, name), getattr(other, name)) for name in self.__slots__))

    def total(self) -> int:
        return sum(getattr(self, name) for name in self.__slots__)


class FrameChecker:
    """Compares every frame of one call in one direction with the one that had to come next."""

    __slots__ = ("_faults", "_missing", "call", "next_sequence", "received")

    def __init__(self, call: int) -> None:
        self.call = call
        self.next_sequence = 0
        self.received = 0
        self._missing: set[int] = set()
        self._faults = Faults()

    def check(self, payload: bytes) -> int | None:
        """Takes one frame; its sequence number, or None if it is none of this call's."""
        sequence = self.next_sequence
        if payload == make_frame(self.call, sequence):
            self.next_sequence = sequence + 1
            self.received += 1
            return sequence
        return self._look_closer(payload)

    def _look_closer(self, payload: bytes) -> int | None:
        known = read_frame(payload)
        if known is None:
            self._faults.corrupt += 1
            return None
        call, sequence = known
        if call != self.call:
            self._faults.cross_talk += 1
            return None
        if sequence >= self.next_sequence:
            self._missing.update(range(self.next_sequence, sequence))
            self.next_sequence = sequence + 1
        elif sequence in self._missing:
            self._missing.remove(sequence)
            self._faults.reordered += 1
        else:
            self._faults.duplicated += 1
            return None
        self.received += 1
        return sequence

    def faults(self, sent: int) -> Faults:
        """The sum so far, when `sent` frames had set out: those that did not arrive are lost."""
        never_came = len(self._missing) + max(0, sent - self.next_sequence)
        found = self._faults
        return Faults(
            lost=never_came,
            reordered=found.reordered,
            duplicated=found.duplicated,
            corrupt=found.corrupt,
            cross_talk=found.cross_talk,
        )
