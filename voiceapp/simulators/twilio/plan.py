"""What a call is to be: its numbers, addresses, script and faults."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.person import PersonProfile
from voiceapp.simulators.twilio.steps import Step

DEFAULT_LIMIT_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class CallPlan:
    """Without `voice_url` and `twiml` no document is requested when the call is answered."""

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
    profile: PersonProfile = field(default_factory=PersonProfile)
    faults: TwilioFaults = field(default_factory=TwilioFaults)
    answered_by: str = ""
    limit_s: float = DEFAULT_LIMIT_S
    ring_s: float = 60.0
    noise: bool = True
    keeps_sound: bool = True
