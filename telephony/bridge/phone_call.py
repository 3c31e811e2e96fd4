"""One phone call as the shell sees it: text frames in from both sides, text frames and actions out. It never raises."""

from __future__ import annotations

from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import Action, FallBack, HangUp, LinkLoss, RunTool
from telephony.bridge.core.agent_item import is_loud
from telephony.bridge.core.conversation import Conversation
from telephony.bridge.core.playout import Playout
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.ulaw import BYTES_PER_MS, decoded, silence
from telephony.bridge.openai.dialect import OpenAIDialect
from telephony.bridge.openai.frames import AUDIO_DELTA
from telephony.bridge.openai.session import SessionSettings
from telephony.bridge.twilio.frames import DIGITS, TwilioFrame, TwilioLine, parse, timestamp_ms

MOST_BAD_FRAMES = 20
# In the head of every frame that is about a response, known to us or not.
RESPONSE = '"response.'
_FRAME = 160
_FRAME_CHARS = 216


class PhoneCall:
    """Swap `to_caller`, `to_agent` and `actions` for empty lists, and send what was in them in order."""

    def __init__(self, briefing: Briefing, *, stream_sid: str, session: dict[str, object]) -> None:
        self._clock = StreamClock()
        self._line = TwilioLine(stream_sid)
        self._dialect = OpenAIDialect(
            SessionSettings(session),
            self._clock,
            protects_greeting=briefing.protects_greeting and bool(briefing.phrases.greeting),
        )
        playout = Playout(self._line, self._clock)
        self._caller_audio = self._dialect.caller_audio
        self._conversation = Conversation(briefing, agent=self._dialect, playout=playout, clock=self._clock)
        self._timeline = self._conversation.timeline
        self._bad_frames = 0
        self._bad_agent_frames = 0

    @property
    def to_caller(self) -> list[str]:
        return self._line.frames

    @to_caller.setter
    def to_caller(self, frames: list[str]) -> None:
        self._line.frames = frames

    @property
    def to_agent(self) -> list[str]:
        return self._caller_audio.out

    @to_agent.setter
    def to_agent(self, frames: list[str]) -> None:
        self._caller_audio.out = frames

    @property
    def actions(self) -> list[Action]:
        return self._timeline.actions

    @actions.setter
    def actions(self, actions: list[Action]) -> None:
        self._timeline.actions = actions

    @property
    def is_over(self) -> bool:
        return self._conversation.is_over

    def caller_frame(self, text: str) -> None:
        """A text frame of Twilio's after `start`: audio, a mark, a key, the end, or garbage."""
        if self._conversation.is_over:
            return
        frame = parse(text)
        if frame is None:
            self._bad_frame()
        elif frame.event == "media" and (media := frame.media) is not None:
            payload = media.payload
            if len(payload) == _FRAME_CHARS and payload.endswith("==") and payload.isascii() and "\\" not in text:
                size = _FRAME  # the frame as it always is; nothing in it can break out of a JSON string
            elif audio := decoded(payload):
                size = len(audio)
            else:
                self._bad_frame()
                return
            if missing_ms := self._clock.frame_arrived(timestamp_ms(media), size // BYTES_PER_MS):
                self._pad(missing_ms)
            self._caller_audio.hear(payload, size)
            conversation = self._conversation
            if conversation.is_caller_speaking and is_loud(payload):
                conversation.caller_loud_ms = conversation.now_ms
        else:
            self._caller_event(frame)

    def caller_gone(self, why: str) -> None:
        """The media socket closed, or nobody reads from it any more."""
        if not self._conversation.is_over:
            self._timeline.happened("stream_lost", why=why[:80])
            self._conversation.close(EndReason.STREAM_LOST, HangUp())

    def agent_frame(self, text: str) -> None:
        """A text frame of the provider's."""
        conversation = self._conversation
        if conversation.is_over:
            return
        conversation.agent_frame_ms = conversation.now_ms
        if RESPONSE in text[:120]:
            conversation.response_frame_ms = conversation.now_ms
        try:
            if text.startswith(AUDIO_DELTA):
                audio = self._dialect.audio(text)
                if audio is not None:
                    conversation.agent_audio(*audio)
            else:
                conversation.receive(self._dialect.read(text))
        except ValueError:  # BadFrame, or audio that is not base64
            self._bad_agent_frame()

    def link_opened(self) -> None:
        """The provider's websocket is up; it has not said anything yet."""
        self._bad_agent_frames = 0
        self._conversation.agent_frame_ms = self._conversation.now_ms

    def link_lost(self, loss: LinkLoss) -> None:
        """The provider's websocket was closed, refused, or cannot be reached."""
        if self._conversation.is_over:
            return
        if self._dialect.is_hopeless(loss):
            loss = LinkLoss(loss.code, loss.reason, is_fatal=True)
        elif loss.wait_ms is None:
            loss = replace(loss, wait_ms=self._dialect.wait_named_ms(loss))
        self._conversation.link_lost(loss)

    def tool_finished(self, tool_call_id: str, result: ToolResult) -> None:
        """Every RunTool is answered by one of these, whatever became of the tool and however late."""
        if not self._conversation.is_over:
            self._conversation.tool_finished(tool_call_id, result)

    def waiting_tools(self) -> list[RunTool]:
        """After the end: what the agent asked for before it and has not begun, in order. Given once."""
        return self._conversation.waiting_tools()

    def time_passed(self, now_ms: int) -> None:
        """Ten times a second: milliseconds since the stream began, never going back."""
        conversation = self._conversation
        if conversation.is_over:
            return
        if missing_ms := self._clock.tick(now_ms):
            self._pad(missing_ms)
        conversation.time_passed(now_ms)

    def hang_up(self, reason: EndReason) -> None:
        """Someone outside the call ends it."""
        self._conversation.close(reason, FallBack() if reason is EndReason.SERVER_STOPPING else HangUp())

    def _pad(self, missing_ms: int) -> None:
        self._caller_audio.hear(silence(missing_ms), missing_ms * BYTES_PER_MS)

    def _caller_event(self, frame: TwilioFrame) -> None:
        if frame.event == "mark" and frame.mark is not None:
            self._conversation.mark_echoed(frame.mark.name)
        elif frame.event == "dtmf" and frame.dtmf is not None and frame.dtmf.digit in DIGITS:
            self._conversation.key_pressed(frame.dtmf.digit)
        elif frame.event == "stop":
            self._conversation.close(EndReason.CALLER_HUNG_UP, HangUp())
        elif frame.event in ("media", "mark", "dtmf"):
            self._bad_frame()

    def _bad_frame(self) -> None:
        self._bad_frames += 1
        if self._bad_frames == MOST_BAD_FRAMES:
            self.caller_gone("bad frames")

    def _bad_agent_frame(self) -> None:
        self._bad_agent_frames += 1
        if self._bad_agent_frames == MOST_BAD_FRAMES:
            self._conversation.link_unusable("bad frames")
