"""One phone call as the shell sees it: text frames in from both sides, text frames and actions out. It never raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from telephony.bridge.agent_side import MOST_BAD_FRAMES, AgentSide, MakeDialect
from telephony.bridge.core.actions import HangUp
from telephony.bridge.core.agent_item import is_loud
from telephony.bridge.core.earpiece import Earpiece
from telephony.bridge.core.events import (
    AgentSilenced,
    CallerEvent,
    KeyPressed,
    MarkEchoed,
    StreamStarted,
    StreamStopped,
    TextTyped,
)
from telephony.bridge.core.playout import Playout
from telephony.bridge.core.ports import AgentDialect, BadFrame, CallerCodec, CallerLine
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past
from telephony.bridge.core.ulaw import BYTES_PER_MS, silence

Hear = Callable[[str, int], None]

CUT_SHORT = "The line broke while the caller was speaking, and the rest was not heard. Ask for it once more."


class PhoneCall(AgentSide):
    """Send what is in `to_caller`, `to_agent` and `actions`, each in order, and empty them."""

    __slots__ = (
        "_bad_frames",
        "_earpiece",
        "_hear",
        "_phone",
        "_read",
        "_was_cut_short",
        "has_second_start",
    )

    def __init__(
        self,
        briefing: Briefing,
        *,
        codec: CallerCodec,
        make_dialect: MakeDialect,
        past: Sequence[Past] = (),
        shows_lines: bool = False,
    ) -> None:
        """`past`: the conversation before, if the caller returns from a transfer. `shows_lines`: also as they grow."""
        clock = StreamClock()
        playout = self._phone = Playout(self._line(codec, clock), clock)
        super().__init__(briefing, clock=clock, playout=playout, make_dialect=make_dialect, past=past)
        if shows_lines:
            self._conversation.show_lines()
        self._read = codec.read
        self._hear = self._hearing(self._dialect)
        self._earpiece: Earpiece | None = None
        self.to_caller = codec.frames
        self.has_second_start = False
        self._bad_frames = 0
        self._was_cut_short = False

    def _line(self, codec: CallerCodec, clock: StreamClock) -> CallerLine:
        """Where the ledger sends the agent's audio."""
        return codec

    def _hearing(self, dialect: AgentDialect) -> Hear:
        """Where the caller's frames go."""
        return dialect.hear

    def caller_frame(self, text: str) -> None:
        """A text frame of the carrier's after its start: audio, a mark, a key, the end, or garbage."""
        conversation = self._conversation
        if conversation.is_over:
            return
        try:
            frame = self._read(text)
        except BadFrame:
            self._bad_frame()
            return
        if not isinstance(frame, tuple):
            self._caller_event(frame)
            return
        payload, size, at_ms = frame
        if missing_ms := self._clock.frame_arrived(at_ms, size // BYTES_PER_MS):
            self._pad(missing_ms)
        self._hear(payload, size)
        if conversation.is_caller_speaking and is_loud(payload):
            conversation.caller_loud_ms = conversation.now_ms
            self._clock.loud_ms = self._clock.end_ms

    def caller_gone(self, why: str) -> None:
        """The media socket closed, or the carrier no longer reads from it."""
        if not self._conversation.is_over:
            self._timeline.happened("stream_lost", why=why[:80])
            self._conversation.close(EndReason.STREAM_LOST, HangUp())

    def line_broke(self, *, silent_ms: int) -> None:
        """For so long nothing has come from the caller's side, where nothing arrives until it is back, or gone."""
        self._phone.hold(silent_ms=silent_ms)
        self._was_cut_short |= self._conversation.is_caller_speaking

    def line_is_back(self, *, away_ms: int) -> None:
        """On a new socket if `away_ms` is not 0: what the caller said meanwhile did not arrive."""
        self._phone.go_on()
        was_cut_short, self._was_cut_short = self._was_cut_short, False
        if away_ms and not self.is_over:
            self._timeline.happened("line_returned", away_ms=away_ms)
            if was_cut_short:
                self._conversation.note(CUT_SHORT)

    def change_agent(self, make_dialect: MakeDialect) -> None:
        super().change_agent(make_dialect)
        hear = self._hearing(self._dialect)
        if self._earpiece is None:
            self._hear = hear
        else:
            self._earpiece.pass_on = hear

    def begin_listening(self) -> Earpiece:
        """Somebody listens in: until `end_listening` both voices are also in the earpiece."""
        earpiece = self._earpiece = Earpiece(self._phone.line, self._hear, on_its_way=self._phone.on_its_way_bytes)
        self._phone.lead_through(earpiece)
        self._hear = earpiece.hear
        return earpiece

    def end_listening(self) -> None:
        """Nobody listens in any more, and no frame passes the earpiece."""
        if (earpiece := self._earpiece) is not None:
            self._earpiece = None
            self._phone.lead_through(earpiece.line)
            self._hear = earpiece.pass_on

    def time_passed(self, now_ms: int) -> None:
        conversation = self._conversation
        if conversation.is_over:
            return
        if missing_ms := self._clock.tick(now_ms):
            self._pad(missing_ms)
        conversation.time_passed(now_ms)

    def _pad(self, missing_ms: int) -> None:
        self._dialect.hear(silence(missing_ms), missing_ms * BYTES_PER_MS)

    def _caller_event(self, event: CallerEvent) -> None:
        match event:
            case MarkEchoed(name, at_ms):
                self._conversation.mark_echoed(name, is_late=at_ms is not None)
            case KeyPressed(digit):
                self._conversation.key_pressed(digit)
            case TextTyped(text):
                self._conversation.caller_typed("typed", text)
            case AgentSilenced():
                self._conversation.silence_agent()
            case StreamStopped():
                self._conversation.close(EndReason.CALLER_HUNG_UP, HangUp())
            case StreamStarted():
                self.has_second_start = True
                self.caller_gone("second start")

    def _bad_frame(self) -> None:
        self._bad_frames += 1
        if self._bad_frames == MOST_BAD_FRAMES:
            self.caller_gone("bad frames")
