"""Record: a message after the tone, kept until the process ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio.callbacks import Callback
from voiceapp.simulators.twilio.ear import Ear
from voiceapp.simulators.twilio.frames import milliseconds
from voiceapp.simulators.twilio.twiml import Document, Verb

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall

_TIMEOUT_S = 5
_MAX_LENGTH_S = 3600
_BEEP_S, _BEEP_HZ = 0.4, 1000


async def record(call: LocalCall, verb: Verb, document: Document) -> Document | None:
    """With a message: the action's document (also told if the caller hung up). Without: the next verb."""
    message = _Message(call, verb)
    if verb.get("playBeep", "true") == "true":
        await call.line.play(_beep())
    try:
        ended_by = await message.take()
    except BaseException:
        # The caller hung up: the message is kept and the action told, but its answer changes nothing any more.
        if message.is_spoken:
            call.carrier.tell_later(_answer(call, verb, document, message, "hangup"))
        raise
    if not message.is_spoken:
        return None
    return await _answer(call, verb, document, message, ended_by)


class _Message:
    def __init__(self, call: LocalCall, verb: Verb) -> None:
        self._call = call
        self._verb = verb
        self._ear = Ear()
        self._key = ""
        self.sound = bytearray()

    @property
    def is_spoken(self) -> bool:
        return self._ear.latest is not None

    async def take(self) -> str:
        """Listen until silence, a finishing key or the greatest length; the key, or nothing."""
        call, verb = self._call, self._verb
        silence_ms = verb.seconds("timeout", _TIMEOUT_S) * 1000
        length_ms = verb.seconds("maxLength", _MAX_LENGTH_S) * 1000
        call.line.microphone = self._hear
        call.on_digit = self._pressed
        try:
            await call.line.until(lambda: bool(self._key) or self._ear.silent_ms >= silence_ms, timeout_ms=length_ms)
        finally:
            call.line.microphone = None
            call.on_digit = None
        return self._key

    def _hear(self, frame: bytes) -> None:
        self.sound += frame
        self._ear.hear(frame)

    def _pressed(self, key: str) -> None:
        if key in self._verb.get("finishOnKey", "1234567890*#"):
            self._key = key


async def _answer(call: LocalCall, verb: Verb, document: Document, message: _Message, digits: str) -> Document:
    sid = call.carrier.keep_recording(call.sid, bytes(message.sound))
    call.recordings.append(sid)
    seconds = round(milliseconds(message.sound) / 1000)
    call.log("message_recorded", sid=sid, seconds=seconds)
    url = f"{call.carrier.base_url}/2010-04-01/Accounts/{call.carrier.account_sid}/Recordings/{sid}"
    about = {"RecordingUrl": url, "RecordingSid": sid, "RecordingDuration": str(seconds)}
    status = about | {
        "AccountSid": call.carrier.account_sid,
        "CallSid": call.sid,
        "RecordingStatus": "completed",
        "RecordingChannels": "1",
        "RecordingSource": "RecordVerb",
    }
    if verb.get("recordingStatusCallback"):
        call.callbacks.send(Callback(document.absolute(verb.get("recordingStatusCallback")), status))
    extra = about | ({"Digits": digits} if digits else {})
    return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"), extra=extra)


def _beep() -> bytes:
    moments = np.arange(int(_BEEP_S * 8000)) / 8000
    return mulaw.encode((6000 * np.sin(2 * np.pi * _BEEP_HZ * moments)).astype("<i2").tobytes())
