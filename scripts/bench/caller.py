"""One phone call as Twilio carries it: the handshake, the frames up on a steady clock, and what comes back."""

from __future__ import annotations

import json
from array import array
from secrets import token_hex
from time import perf_counter

from connection import Connection, Sockets
from frames import FRAME_MS, Faults, FrameChecker, make_frame, split_audio
from handshake import open_websocket
from webhook import StreamAddress

FRAME_LETTERS = 216
MASK = b"\x5a\xc3\x17\x8e"


class Caller(Connection):
    """Speaks one numbered frame whenever its turn comes, and times each on its return."""

    __slots__ = (
        "_mark_head",
        "_media_head",
        "_messages",
        "_sid",
        "call",
        "call_sid",
        "checker",
        "clears",
        "delays",
        "frames_due_here",
        "frames_due_there",
        "heard_at",
        "is_open",
        "is_speaking",
        "is_timed",
        "largest_gap_s",
        "marks",
        "said_at",
        "sent_at",
        "started_at",
        "strange_messages",
        "stream_sid",
        "was_cut_off",
    )

    def __init__(self, call: int, delays: array[float], said_at: array[float] | None = None) -> None:
        """What it hears is its own speech, or frames that the provider said at `said_at`."""
        super().__init__(key=MASK)
        self.call = call
        self.call_sid = f"CA{token_hex(16)}"
        self.stream_sid = f"MZ{token_hex(16)}"
        self.delays = delays
        self.checker = FrameChecker(call)
        self.sent_at: array[float] = array("d")
        self.said_at = self.sent_at if said_at is None else said_at
        # Frames after these may still be under way when the caller hangs up.
        self.frames_due_there = self.frames_due_here = 0
        self.is_speaking = False
        self.is_timed = False
        self.started_at = 0.0
        self.heard_at = 0.0
        self.largest_gap_s = 0.0
        self.is_open = False
        self.was_cut_off = False
        self.marks = 0
        self.clears = 0
        self.strange_messages = 0
        self._messages = 0
        sid = self.stream_sid.encode()
        self._media_head = b'{"event":"media","streamSid":"%b","media":{"payload":"' % sid
        self._mark_head = b'{"event":"mark","streamSid":"%b","mark":{"name":"' % sid
        self._sid = sid

    async def ring(self, sockets: Sockets, address: StreamAddress, account_sid: str) -> None:
        """Opens the media stream and says `connected` and `start`; frames go out from now on."""
        wire, early = await open_websocket(address.url, address.headers)
        self.connect(sockets, wire)
        self.is_open = True
        self.receive(early)
        self._say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {
            "accountSid": account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": address.parameters,
        }
        self._say({"event": "start", "sequenceNumber": self._number(), "streamSid": self.stream_sid, "start": start})
        self.flush()
        self.started_at = perf_counter()
        self.is_speaking = True

    def begin_timing(self) -> None:
        self.is_timed = True
        self.heard_at = perf_counter()
        self.largest_gap_s = 0.0

    def expect_all(self) -> None:
        """What was said until now has to arrive."""
        self.frames_due_there = len(self.sent_at)
        self.frames_due_here = len(self.said_at)

    def hang_up(self) -> None:
        """As Twilio does it: `stop`, then the close of the socket."""
        self.is_speaking = self.is_timed = False
        if not self.is_open:
            return
        stop = {"accountSid": "", "callSid": self.call_sid}
        self._say({"event": "stop", "sequenceNumber": self._number(), "streamSid": self.stream_sid, "stop": stop})
        self.is_open = False
        self.say_goodbye()

    def speak(self) -> None:
        sequence = len(self.sent_at)
        self._messages += 1
        message = (
            b'{"event":"media","sequenceNumber":"%d","streamSid":"%b","media":{"track":"inbound",'
            b'"chunk":"%d","timestamp":"%d","payload":"%b"}}'
            % (self._messages, self._sid, sequence + 1, sequence * FRAME_MS, make_frame(self.call, sequence))
        )
        self.sent_at.append(perf_counter())
        self.say(message)
        self.flush()

    def on_text(self, message: bytes) -> None:
        if message.startswith(self._media_head) and message.endswith(b'"}}'):
            self._hear(message[len(self._media_head) : -3])
        else:
            self._obey(message)

    def on_strange_frame(self) -> None:
        self.strange_messages += 1

    def on_disconnected(self) -> None:
        self.was_cut_off |= self.is_open
        self.is_open = self.is_speaking = False

    def _hear(self, payload: bytes) -> None:
        if len(payload) == FRAME_LETTERS:
            self._take(payload)
        else:
            for frame in split_audio(payload):
                self._take(frame)

    def _take(self, payload: bytes) -> None:
        sequence = self.checker.check(payload)
        if self.is_timed and sequence is not None:
            now = perf_counter()
            self.delays.append(now - self.said_at[sequence])
            if now - self.heard_at > self.largest_gap_s:
                self.largest_gap_s = now - self.heard_at
            self.heard_at = now

    def _obey(self, message: bytes) -> None:
        if message.startswith(self._mark_head) and message.endswith(b'"}}'):
            self._echo(message[len(self._mark_head) : -3])
            return
        event = json.loads(message)
        if event.get("streamSid") != self.stream_sid:
            self.strange_messages += 1
        elif event["event"] == "media":
            self._hear(event["media"]["payload"].encode())
        elif event["event"] == "mark":
            self._echo(json.dumps(event["mark"]["name"]).encode()[1:-1])
        elif event["event"] == "clear":
            self.clears += 1
        else:
            self.strange_messages += 1

    def _echo(self, name: bytes) -> None:
        self.marks += 1
        if self.is_open:
            self._messages += 1
            echo = b'{"event":"mark","sequenceNumber":"%d","streamSid":"%b","mark":{"name":"%b"}}'
            self.say(echo % (self._messages, self._sid, name))

    def _number(self) -> str:
        self._messages += 1
        return str(self._messages)

    def _say(self, event: dict[str, object]) -> None:
        self.say(json.dumps(event, separators=(",", ":")).encode())

    def faults(self) -> Faults:
        """What this caller's frames suffered on the whole way round."""
        return self.checker.faults(self.frames_due_here)
