"""What is noted of a call while it lives. Times are ms on the line's clock, which starts with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    at_ms: int
    what: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """An error or warning by Twilio's number, as its debugger shows them."""

    at_ms: int
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook: status 0 means that no answer came."""

    at_ms: int
    url: str
    status: int
    took_ms: int
