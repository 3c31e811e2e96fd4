"""The provider that answers at once answers each request once, however its bytes arrive."""

from __future__ import annotations

import json
from typing import Any

import pytest
from instant_provider import Connection

REQUEST = b'POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: here\r\nContent-Length: 7\r\n\r\n{"a":1}'


class Written:
    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.answers.append(data)


@pytest.mark.parametrize("size", [1, 40, 76, 1000])
def test_each_request_is_answered_once(size: int) -> None:
    connection, written = Connection(), Written()
    connection.connection_made(written)  # type: ignore[arg-type]
    sent = REQUEST * 3
    for at in range(0, len(sent), size):
        connection.data_received(sent[at : at + size])
    assert len(written.answers) == 3
    body: dict[str, Any] = json.loads(written.answers[0].partition(b"\r\n\r\n")[2])
    assert body["value"].startswith("ek_")
    assert body["session"]["id"]
