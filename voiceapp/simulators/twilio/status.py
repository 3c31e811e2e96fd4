"""The status of a call: its values, its timestamps, and the status callbacks that report a change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

from voiceapp.simulators.twilio.callbacks import Callback, Callbacks
from voiceapp.simulators.twilio.plan import CallPlan


class Status(StrEnum):
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in (Status.COMPLETED, Status.BUSY, Status.FAILED, Status.NO_ANSWER, Status.CANCELED)


class StatusTracker:
    """A final status never changes. `params` returns the form of the call with the given fields added."""

    def __init__(self, plan: CallPlan, callbacks: Callbacks, params: Callable[..., dict[str, str]]) -> None:
        self._plan = plan
        self._callbacks = callbacks
        self._params = params
        self._sequence_number = 0
        self.status = Status.QUEUED
        self.created_at = datetime.now(UTC)
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None

    @property
    def duration_s(self) -> int:
        if self.answered_at is None:
            return 0
        return round(((self.ended_at or datetime.now(UTC)) - self.answered_at).total_seconds())

    def change_to(self, status: Status) -> None:
        if self.status.is_final:
            return
        self.status = status
        if status is Status.IN_PROGRESS:
            self.answered_at = datetime.now(UTC)
        elif status.is_final:
            self.ended_at = datetime.now(UTC)
        self._send_callback()

    def _send_callback(self) -> None:
        status = self.status
        event = {Status.IN_PROGRESS: "answered"}.get(status, "completed" if status.is_final else status.value)
        if event not in self._plan.status_callback_events:
            return
        extra = {
            "Timestamp": format_datetime(datetime.now(UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence_number),
        }
        if status.is_final:
            extra |= {"CallDuration": str(self.duration_s), "Duration": str(-(-self.duration_s // 60))}
        self._sequence_number += 1
        method = self._plan.status_callback_method
        self._callbacks.send(Callback(self._plan.status_callback, self._params(**extra), method))
