"""Reads the arguments that a model wrote: hostile text until proven otherwise."""

from __future__ import annotations

import json
from typing import NoReturn

from sessions.orders.draft import Refused

LONGEST = 16_384
NOT_UNDERSTOOD = "Sorry, I did not get that. Could you say it again?"


def read_arguments(text: str) -> dict[str, object]:
    """The JSON object in `text`, without signs that a database cannot hold; raises Refused."""
    if len(text) > LONGEST:
        raise Refused(NOT_UNDERSTOOD)
    try:
        arguments = clean(json.loads(text or "{}", parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as exc:
        raise Refused(NOT_UNDERSTOOD) from exc
    if not isinstance(arguments, dict):
        raise Refused(NOT_UNDERSTOOD)
    return arguments


def clean(value: object) -> object:
    """The same JSON value without NUL, lone surrogates and other control characters in its texts."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean(part) for part in value]
    if isinstance(value, dict):
        return {clean_text(key): clean(part) for key, part in value.items()}
    return value


def clean_text(text: str) -> str:
    """Printable text in which line breaks are spaces."""
    sound = text.encode("utf-8", "replace").decode()
    return "".join(sign if sign.isprintable() else " " for sign in sound)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
