"""Sends the events of a session in order, each with its id."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

import msgspec

from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.ids import IdSource


class EventSender(ABC):
    """`send` never blocks. Nothing is sent after `close`."""

    def __init__(self, faults: OpenAIFaults) -> None:
        self._ids = IdSource(are_counted="count_ids" in faults)
        self._is_stamped = "stamped" in faults

    def send(self, kind: str, /, **fields: Any) -> None:
        event = {"type": kind, "event_id": self._ids.new("event"), **fields}
        if self._is_stamped:
            event["sent_at"] = time.time()
        self.send_raw(msgspec.json.encode(event).decode())

    def error(
        self, code: str, message: str, *, kind: str = "invalid_request_error", param: str | None = None,
        event_id: str | None = None,
    ) -> None:  # fmt: skip
        self.send("error", error={"type": kind, "code": code, "message": message, "param": param, "event_id": event_id})

    @abstractmethod
    def send_raw(self, frame: str) -> None: ...

    @abstractmethod
    def close(self, code: int, reason: str) -> None: ...
