"""Requests to the product and to the reference beside it, turn and turn about on one kept connection."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and the status that it should get."""

    method: str
    path: str
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The server did not answer as it should: there is nothing to measure."""


class Client:
    """Without a library that would cost as much as what is measured."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ms(self, request: Request) -> float:
        """How long the answer took, to its last byte."""
        began = time.perf_counter()
        self._connection.request(request.method, request.path, request.body or None, request.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_s = time.perf_counter() - began
        if answer.status != request.status:
            raise Refused(f"{request.path}: {answer.status} {body[:200]!r}")
        return took_s * 1000


@dataclass(slots=True)
class Timings:
    """Milliseconds of each request of either side."""

    ours: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)

    def add(self, others: Timings) -> None:
        self.ours += others.ours
        self.reference += others.reference


def take_turns(port: int, ours: Request, reference: Request, *, times: int, warm_up: int = 50) -> Timings:
    client, timings = Client(port), Timings()
    for turn in range(warm_up + times):
        own, other = client.ms(ours), client.ms(reference)
        if turn >= warm_up:
            timings.ours.append(own)
            timings.reference.append(other)
    return timings
