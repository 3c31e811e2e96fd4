"""The numbers of a call for those who may see callers' whole numbers, and for those who may not."""

from __future__ import annotations

from voiceapp.core.phones.numbers import CallerKind, mask, read_caller

from .models import Call, Direction


def calling_number(call: Call, *, sees: bool) -> str:
    """Of a call that we placed it is ours."""
    return call.caller_number if sees or call.direction == Direction.OUTBOUND else _masked(call.caller_number)


def dialed_number(call: Call, *, sees: bool) -> str:
    """Of a call that we placed it is the customer's."""
    return call.dialed_number if sees or call.direction == Direction.INBOUND else _masked(call.dialed_number)


def _masked(number: str) -> str:
    """A withheld number says nothing of anybody."""
    return number if read_caller(number).kind is CallerKind.HIDDEN else mask(number)
