"""One `<Stream>`: the caller's audio is sent in steady frames, the agent's audio is received and played at 8 kHz."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from voiceapp.simulators.twilio import stream_faults
from voiceapp.simulators.twilio.account import new_sid
from voiceapp.simulators.twilio.call_log import StreamLog
from voiceapp.simulators.twilio.callbacks import Callback
from voiceapp.simulators.twilio.frames import FRAME_MS
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.media_socket import Closed, MediaSocket, OnBinary, OnText, StreamFailed
from voiceapp.simulators.twilio.playout import PlayoutQueue
from voiceapp.simulators.twilio.stream_messages import CONNECTED, Audio, Clear, Invalid, Mark, Outgoing, read
from voiceapp.simulators.twilio.twiml import Document, Verb
from voiceapp.simulators.twilio.webhooks import signature

_MAX_PARAMETER_CHARACTERS = 500


class MediaStream:
    def __init__(self, call: CallLeg, noun: Verb, document: Document) -> None:
        self._call = call
        self._noun = noun
        self._document = document
        self._faults = call.faults
        self._socket: MediaSocket | None = None
        self._codes_noticed: set[int] = set()
        self._timestamp_ms = 0
        self._sid = new_sid("MZ")
        self._url = self._read_url()
        self._parameters = self._read_parameters()
        self._messages = self._outgoing()
        self._playout = PlayoutQueue()
        self.log = StreamLog(self._sid, self._url)
        self.log.underruns, self.log.clipped_ends = self._playout.underruns, self._playout.clipped_ends

    async def run(self) -> None:
        """Return when the application closes the socket. When the call ends, this is canceled."""
        if "late_token" in self._faults:
            await self._call.line.wait_ms(self._faults.number("late_token") * 1000)
        try:
            self._socket = await self._connect(on_text=self._receive, on_binary=self._receive_binary)
        except StreamFailed as exc:
            self._call.log.notice(exc.code, exc.message)
            self.log.closed_by = "handshake"
            self._set_close(Closed(exc.status, exc.message))
            self._send_callback("stream-error", error=exc.message)
            return
        self._send_callback("stream-started")
        self._start()
        faults = stream_faults.start(self._socket, self._faults, self._call.line)
        if "replay_token" in self._faults:
            faults.append(asyncio.create_task(self._replay_token(), name="stream fault"))
        try:
            self._set_close(await asyncio.shield(self._socket.closed))
            self.log.closed_by = "application"
        finally:
            for fault in faults:
                fault.cancel()
            await self._end()

    async def _connect(self, *, on_text: OnText, on_binary: OnBinary) -> MediaSocket:
        """Raises StreamFailed."""
        key = self._call.account.auth_token
        if self._faults.breaks_signature_of("stream"):
            key = "not " + key
        return await MediaSocket.open(
            self._url, signature=signature(key, self._url), on_text=on_text, on_binary=on_binary
        )

    def _start(self) -> None:
        assert self._socket
        line = self._call.line
        self.log.began_ms = line.now_ms
        self._socket.send(CONNECTED)
        self._call.log.event("stream_started", sid=self._sid)
        line.speaker = self._next_frame
        if "never_start" in self._faults:
            return
        self._socket.send(self._messages.start(self._parameters))
        if "two_starts" in self._faults:
            self._socket.send(self._messages.start(self._parameters))
        line.microphone = self._send_frame
        line.on_key = self._send_key

    async def _end(self) -> None:
        assert self._socket
        line = self._call.line
        line.speaker = line.microphone = line.on_key = None
        self.log.ended_ms = line.now_ms
        self._playout.finish(line.now_ms, is_closed_by_agent=bool(self.log.closed_by))
        if self._socket.is_open:
            self.log.closed_by = "caller"
            if not {"no_stop", "never_start"} & self._faults.names:
                self._socket.send(self._messages.stop())
        await self._socket.close()
        if self.log.close_code is None and self._socket.closed.done():
            self._set_close(self._socket.closed.result())
        self._call.log.event("stream_ended", sid=self._sid, by=self.log.closed_by, code=self.log.close_code)
        self._send_callback("stream-stopped")

    def _set_close(self, closed: Closed) -> None:
        self.log.close_code, self.log.close_reason = closed.code, closed.reason

    async def _replay_token(self) -> None:
        """Send the same parameters over a second socket, and record how the application ends it."""
        await self._call.line.wait_ms(self._faults.number("replay_token"))
        received: list[str] = []
        try:
            second = await self._connect(on_text=received.append, on_binary=lambda: None)
        except StreamFailed as exc:
            self._call.log.event("second_socket_refused", status=exc.status)
            return
        second.send(CONNECTED)
        second.send(self._outgoing().start(self._parameters))
        try:
            closed = await asyncio.shield(second.closed)
            self._call.log.event("second_socket_closed", code=closed.code, messages_received=len(received))
        finally:
            await second.close()

    # every 20 ms

    def _next_frame(self, now_ms: int) -> bytes:
        frame = self._playout.next_frame(now_ms)
        self._echo_due_marks()
        return frame

    def _send_frame(self, audio: bytes) -> None:
        assert self._socket
        timestamp_ms = self._timestamp_ms
        self._timestamp_ms += FRAME_MS
        if "gaps" in self._faults and stream_faults.is_in_gap(timestamp_ms, self._faults):
            self._messages.skip_media()
            return
        if self._socket.is_clogged:
            self.log.frames_dropped += 1
            self._notice_once(31930, "buffer overflow: the application reads too slowly, audio was dropped")
            self._messages.skip_media()
            return
        if "drop_timestamps" in self._faults:
            self._socket.send(self._messages.media_without_timestamp(audio))
        else:
            self._socket.send(self._messages.media(audio, timestamp_ms))
        self.log.frames_sent += 1

    def _send_key(self, key: str) -> None:
        assert self._socket
        self._socket.send(self._messages.dtmf(key))

    def _echo_due_marks(self) -> None:
        assert self._socket
        for name in self._playout.due_marks():
            self.log.marks_echoed += 1
            if "lose_marks" in self._faults and self.log.marks_echoed % int(self._faults.number("lose_marks")) == 0:
                continue
            self._socket.send(self._messages.mark(name))

    # messages of the application

    def _receive(self, text: str) -> None:
        log = self.log
        match read(text, stream_sid=self._sid):
            case Audio(ulaw):
                self._playout.add(ulaw)
                log.media_received += 1
                log.audio_received_ms += len(ulaw) // 8
                log.largest_burst_ms = max(log.largest_burst_ms, self._playout.queued_ms)
            case Mark(name):
                log.marks_received += 1
                self._playout.mark(name)
                self._echo_due_marks()
            case Clear():
                log.clears_received += 1
                self._call.log.event("cleared", queued_ms=self._playout.queued_ms)
                self._playout.clear()
                self._echo_due_marks()
            case Invalid(code, reason):
                self._reject(code, reason)

    def _receive_binary(self) -> None:
        self._reject(31950, "malformed message: binary")

    def _reject(self, code: int, reason: str) -> None:
        self.log.invalid_received += 1
        self._notice_once(code, reason)

    def _notice_once(self, code: int, reason: str) -> None:
        """Twilio warns once per code."""
        if code not in self._codes_noticed:
            self._codes_noticed.add(code)
            self._call.log.notice(code, reason)

    # the noun

    def _outgoing(self) -> Outgoing:
        return Outgoing(self._sid, call_sid=self._call.sid, account_sid=self._call.account.sid)

    def _read_url(self) -> str:
        url = self._noun.get("url")
        if "?" in url:
            self._call.log.notice(31920, "a Stream's url must not have a query string: it is dropped")
            url = url.partition("?")[0]
        return url

    def _read_parameters(self) -> dict[str, str]:
        parameters = {}
        for noun in self._noun.named("Parameter"):
            name, value = noun.get("name"), noun.get("value")
            if len(name) + len(value) > _MAX_PARAMETER_CHARACTERS:
                self._call.log.notice(12200, f"<Parameter> {name} is longer than {_MAX_PARAMETER_CHARACTERS}")
            else:
                parameters[name] = value
        return parameters

    def _send_callback(self, event: str, *, error: str = "") -> None:
        url = self._noun.get("statusCallback")
        if not url:
            return
        params = {
            "AccountSid": self._call.account.sid,
            "CallSid": self._call.sid,
            "StreamSid": self._sid,
            "StreamName": self._noun.get("name", self._sid),
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        if error:
            params["StreamError"] = error
        method = self._noun.get("statusCallbackMethod", "POST")
        self._call.callbacks.send(Callback(self._document.absolute(url), params, method))
