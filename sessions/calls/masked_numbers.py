"""The numbers of a call for those who may see callers' whole numbers, and for those who may not."""

from __future__ import annotations

import re

from voiceapp.core.phones.numbers import CallerKind, mask, read_caller

from .models import Call, Direction

NUMBER = re.compile(r"\+\d[\d ()./-]{3,}\d")


def calling_number(call: Call, *, sees: bool) -> str:
    """Of a call that we placed it is ours."""
    return call.caller_number if sees or call.direction == Direction.OUTBOUND else _masked(call.caller_number)


def dialed_number(call: Call, *, sees: bool) -> str:
    """Of a call that we placed it is the customer's."""
    return call.dialed_number if sees or call.direction == Direction.INBOUND else _masked(call.dialed_number)


def masked_in(text: str) -> str:
    """A text in which numbers are written as in “Phone +49 30 1234567” or `sip_+49301234567`."""
    return NUMBER.sub(lambda found: mask(f"+{''.join(filter(str.isdigit, found[0]))}"), text)


def _masked(number: str) -> str:
    """A withheld number says nothing of anybody."""
    return number if read_caller(number).kind is CallerKind.HIDDEN else mask(number)
