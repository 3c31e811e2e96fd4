"""How far a call has come: its status, its moments, and the status callbacks that tell of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from voiceapp.simulators.twilio.callbacks import Callback, Callbacks
from voiceapp.simulators.twilio.plan import Plan, Status


class Progress:
    """A final status is kept. `params` gives the call's form with the fields of one callback added."""

    def __init__(self, plan: Plan, callbacks: Callbacks, params: Callable[..., dict[str, str]]) -> None:
        self._plan = plan
        self._callbacks = callbacks
        self._params = params
        self._told = 0
        self.status = Status.QUEUED
        self.created_at = datetime.now(UTC)
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None

    @property
    def duration_s(self) -> int:
        if self.answered_at is None:
            return 0
        return round(((self.ended_at or datetime.now(UTC)) - self.answered_at).total_seconds())

    def move_to(self, status: Status) -> None:
        if self.status.is_final:
            return
        self.status = status
        if status is Status.IN_PROGRESS:
            self.answered_at = datetime.now(UTC)
        elif status.is_final:
            self.ended_at = datetime.now(UTC)
        self._tell()

    def _tell(self) -> None:
        status = self.status
        event = {Status.IN_PROGRESS: "answered"}.get(status, "completed" if status.is_final else status.value)
        if event not in self._plan.status_callback_events:
            return
        extra = {
            "Timestamp": format_datetime(datetime.now(UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._told),
        }
        if status.is_final:
            extra |= {"CallDuration": str(self.duration_s), "Duration": str(-(-self.duration_s // 60))}
        self._told += 1
        method = self._plan.status_callback_method
        self._callbacks.send(Callback(self._plan.status_callback, self._params(**extra), method))
