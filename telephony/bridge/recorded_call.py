"""A phone call with a tape that runs along."""

from __future__ import annotations

from telephony.bridge.core.events import CallerEvent, MarkEchoed
from telephony.bridge.core.ports import AgentDialect, CallerCodec, CallerLine
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.tape import Tape
from telephony.bridge.phone_call import Hear, PhoneCall


class RecordedCall(PhoneCall):
    """A class of its own, so that a call without a tape pays nothing for it."""

    tape: Tape

    def _line(self, codec: CallerCodec, clock: StreamClock) -> CallerLine:
        self.tape = Tape(codec, clock)
        return self.tape

    def _hearing(self, dialect: AgentDialect) -> Hear:
        self.tape.pass_on = dialect.hear
        return self.tape.hear

    def _caller_event(self, event: CallerEvent) -> None:
        if isinstance(event, MarkEchoed):
            self.tape.echoed(event.name, at_ms=event.at_ms)
        super()._caller_event(event)
