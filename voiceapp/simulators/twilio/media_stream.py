"""One `<Stream>`: the caller's sound goes out in steady frames, the agent's comes in and is played at 8 kHz."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from voiceapp.simulators.twilio import mischief
from voiceapp.simulators.twilio.callbacks import Callback
from voiceapp.simulators.twilio.frames import FRAME_MS
from voiceapp.simulators.twilio.identifiers import new_sid
from voiceapp.simulators.twilio.media_socket import Closed, MediaSocket, StreamFailed
from voiceapp.simulators.twilio.playout import Playout
from voiceapp.simulators.twilio.signature import signature
from voiceapp.simulators.twilio.stream_messages import CONNECTED, Audio, Clear, Invalid, Mark, Outgoing, read

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall
    from voiceapp.simulators.twilio.twiml import Document, Verb

_MOST_PARAMETER_CHARACTERS = 500


@dataclass(slots=True)
class Counts:
    """What went over the socket. `largest_burst_ms` is the most sound that was ever queued."""

    frames_sent: int = 0
    frames_dropped: int = 0
    media_received: int = 0
    audio_received_ms: int = 0
    largest_burst_ms: int = 0
    marks_received: int = 0
    marks_echoed: int = 0
    clears_received: int = 0
    invalid_received: int = 0


class MediaStream:
    def __init__(self, call: LocalCall, noun: Verb, document: Document) -> None:
        self._call = call
        self._noun = noun
        self._document = document
        self._faults = call.faults
        self._socket: MediaSocket | None = None
        self._warned: set[int] = set()
        self._timestamp_ms = 0
        self.sid = new_sid("MZ")
        self.url = self._url()
        self.parameters = self._parameters()
        self.messages = Outgoing(self.sid, call_sid=call.sid, account_sid=call.carrier.account_sid)
        self.playout = Playout()
        self.counts = Counts()
        self.closed_by = ""  # application | caller | nobody yet
        self.closed: Closed | None = None
        self.began_ms: int | None = None
        self.ended_ms: int | None = None

    async def run(self) -> None:
        """Until the application closes the socket, or cancelled: the call goes on without the stream or ends."""
        if "late_token" in self._faults:
            await self._call.line.wait_ms(self._faults.number("late_token") * 1000)
        try:
            self._socket = await self.connect(on_text=self._received, on_binary=self._received_binary)
        except StreamFailed as exc:
            self._call.notice(exc.code, exc.message)
            self.closed_by, self.closed = "handshake", Closed(exc.status, exc.message)
            self._callback("stream-error", error=exc.message)
            return
        self._callback("stream-started")
        self._start()
        troubles = mischief.begin(self, self._socket, self._call)
        try:
            self.closed = await asyncio.shield(self._socket.closed)
            self.closed_by = "application"
        finally:
            for trouble in troubles:
                trouble.cancel()
            await self._end()

    async def connect(self, *, on_text: mischief.OnText, on_binary: mischief.OnBinary) -> MediaSocket:
        """A socket with the signed handshake. Raise StreamFailed."""
        key = self._call.carrier.auth_token
        if self._faults.spoils_signature_of("stream"):
            key = "not " + key
        return await MediaSocket.open(
            self.url, signature=signature(key, self.url), on_text=on_text, on_binary=on_binary
        )

    def _start(self) -> None:
        assert self._socket
        line = self._call.line
        self.began_ms = line.now_ms
        self._socket.send(CONNECTED)
        self._call.log("stream_started", sid=self.sid)
        line.speaker = self._next_frame
        if "never_start" in self._faults:
            return
        self._socket.send(self.messages.start(self.parameters))
        if "two_starts" in self._faults:
            self._socket.send(self.messages.start(self.parameters))
        line.microphone = self._send_frame
        self._call.on_digit = self._send_digit

    async def _end(self) -> None:
        assert self._socket
        line = self._call.line
        line.speaker = line.microphone = self._call.on_digit = None
        self.ended_ms = line.now_ms
        self.playout.finish(line.now_ms, is_agents_doing=bool(self.closed_by))
        if self._socket.is_open:
            self.closed_by = "caller"
            if not {"no_stop", "never_start"} & self._faults.names:
                self._socket.send(self.messages.stop())
        await self._socket.close()
        if self.closed is None and self._socket.closed.done():
            self.closed = self._socket.closed.result()
        self._call.log("stream_ended", sid=self.sid, by=self.closed_by, code=self.closed.code if self.closed else None)
        self._callback("stream-stopped")

    # every 20 ms

    def _next_frame(self, now_ms: int) -> bytes:
        frame = self.playout.next_frame(now_ms)
        self._echo_due_marks()
        return frame

    def _send_frame(self, audio: bytes) -> None:
        assert self._socket
        timestamp_ms = self._timestamp_ms
        self._timestamp_ms += FRAME_MS
        if "gaps" in self._faults and mischief.is_in_gap(timestamp_ms, self._faults):
            self.messages.skip_media()
            return
        if self._socket.is_clogged:
            self.counts.frames_dropped += 1
            self._warn_once(31930, "buffer overflow: the application reads too slowly, audio was dropped")
            self.messages.skip_media()
            return
        if "drop_timestamps" in self._faults:
            self._socket.send(self.messages.media_without_timestamp(audio))
        else:
            self._socket.send(self.messages.media(audio, timestamp_ms))
        self.counts.frames_sent += 1

    def _send_digit(self, key: str) -> None:
        assert self._socket
        self._socket.send(self.messages.dtmf(key))

    def _echo_due_marks(self) -> None:
        assert self._socket
        for name in self.playout.due_marks():
            self.counts.marks_echoed += 1
            if "lose_marks" in self._faults and self.counts.marks_echoed % int(self._faults.number("lose_marks")) == 0:
                continue
            self._socket.send(self.messages.mark(name))

    # what the application sends

    def _received(self, text: str) -> None:
        counts = self.counts
        match read(text, stream_sid=self.sid):
            case Audio(ulaw):
                self.playout.add(ulaw)
                counts.media_received += 1
                counts.audio_received_ms += len(ulaw) // 8
                counts.largest_burst_ms = max(counts.largest_burst_ms, self.playout.queued_ms)
            case Mark(name):
                counts.marks_received += 1
                self.playout.mark(name)
                self._echo_due_marks()
            case Clear():
                counts.clears_received += 1
                self._call.log("cleared", queued_ms=self.playout.queued_ms)
                self.playout.clear()
                self._echo_due_marks()
            case Invalid(code, why):
                self._warn(code, why)

    def _received_binary(self) -> None:
        self._warn(31950, "malformed message: binary")

    def _warn(self, code: int, why: str) -> None:
        """Every invalid message is counted."""
        self.counts.invalid_received += 1
        self._warn_once(code, why)

    def _warn_once(self, code: int, why: str) -> None:
        """Twilio warns once per kind."""
        if code not in self._warned:
            self._warned.add(code)
            self._call.notice(code, why)

    # the noun

    def _url(self) -> str:
        url = self._noun.get("url")
        if "?" in url:
            self._call.notice(31920, "a Stream's url must not have a query string: it is dropped")
            url = url.partition("?")[0]
        return url

    def _parameters(self) -> dict[str, str]:
        parameters = {}
        for noun in self._noun.named("Parameter"):
            name, value = noun.get("name"), noun.get("value")
            if len(name) + len(value) > _MOST_PARAMETER_CHARACTERS:
                self._call.notice(12200, f"<Parameter> {name} is longer than {_MOST_PARAMETER_CHARACTERS}")
            else:
                parameters[name] = value
        return parameters

    def _callback(self, event: str, *, error: str = "") -> None:
        url = self._noun.get("statusCallback")
        if not url:
            return
        params = {
            "AccountSid": self._call.carrier.account_sid,
            "CallSid": self._call.sid,
            "StreamSid": self.sid,
            "StreamName": self._noun.get("name", self.sid),
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        if error:
            params["StreamError"] = error
        method = self._noun.get("statusCallbackMethod", "POST")
        self._call.callbacks.send(Callback(self._document.absolute(url), params, method))
