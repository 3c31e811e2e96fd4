"""What a call is to be, and the states it can be in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from voiceapp.simulators.twilio.faults import Faults
from voiceapp.simulators.twilio.person import Manners
from voiceapp.simulators.twilio.steps import Step

DEFAULT_LIMIT_S = 4 * 3600.0


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call is to be. Without `voice_url` and `twiml` nothing is asked when it is answered."""

    from_number: str
    to_number: str
    direction: str = "inbound"
    parent_sid: str = ""
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    twiml: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    status_callback_events: tuple[str, ...] = ("completed",)
    steps: tuple[Step, ...] = ()
    manners: Manners = field(default_factory=Manners)
    faults: Faults = field(default_factory=Faults)
    limit_s: float = DEFAULT_LIMIT_S
    ring_s: float = 60.0
    noise: bool = True
    keeps_sound: bool = True
