"""Record: a message after the tone, kept in memory."""

from __future__ import annotations

import numpy as np

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio.callbacks import Callback
from voiceapp.simulators.twilio.frames import milliseconds
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.speech_detector import SpeechDetector
from voiceapp.simulators.twilio.twiml import Document, Verb

_TIMEOUT_S = 5
_MAX_LENGTH_S = 3600
_BEEP_S, _BEEP_HZ = 0.4, 1000


async def record(call: CallLeg, verb: Verb, document: Document) -> Document | None:
    """Returns the document of the action; None, for the next verb, if nothing was spoken.

    The action is also requested if the caller hangs up.
    """
    message = _Message(call, verb)
    if verb.get("playBeep", "true") == "true":
        await call.line.play(_beep())
    try:
        ended_by = await message.record()
    except BaseException:
        # The caller hung up: the message is kept and the action requested, but its document is not executed.
        if message.has_speech:
            call.account.fetch_in_background(_fetch_action(call, verb, document, message, "hangup"))
        raise
    if not message.has_speech:
        return None
    return await _fetch_action(call, verb, document, message, ended_by)


class _Message:
    def __init__(self, call: CallLeg, verb: Verb) -> None:
        self._call = call
        self._verb = verb
        self._detector = SpeechDetector()
        self._key = ""
        self.audio = bytearray()

    @property
    def has_speech(self) -> bool:
        return self._detector.latest is not None

    async def record(self) -> str:
        """Record until silence, a finishing key or the maximum length. Returns the key, or an empty string."""
        call, verb = self._call, self._verb
        silence_ms = verb.seconds("timeout", _TIMEOUT_S) * 1000
        length_ms = verb.seconds("maxLength", _MAX_LENGTH_S) * 1000
        call.line.microphone = self._add
        call.line.on_key = self._pressed
        try:
            await call.line.until(
                lambda: bool(self._key) or self._detector.silent_ms >= silence_ms, timeout_ms=length_ms
            )
        finally:
            call.line.microphone = None
            call.line.on_key = None
        return self._key

    def _add(self, frame: bytes) -> None:
        self.audio += frame
        self._detector.process(frame)

    def _pressed(self, key: str) -> None:
        if key in self._verb.get("finishOnKey", "1234567890*#"):
            self._key = key


async def _fetch_action(call: CallLeg, verb: Verb, document: Document, message: _Message, digits: str) -> Document:
    sid = call.account.keep_recording(call.sid, bytes(message.audio))
    call.log.recordings.append(sid)
    seconds = round(milliseconds(message.audio) / 1000)
    call.log.event("message_recorded", sid=sid, seconds=seconds)
    url = f"{call.account.base_url}/2010-04-01/Accounts/{call.account.sid}/Recordings/{sid}"
    about = {"RecordingUrl": url, "RecordingSid": sid, "RecordingDuration": str(seconds)}
    status = about | {
        "AccountSid": call.account.sid,
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
    times = np.arange(int(_BEEP_S * 8000)) / 8000
    return mulaw.encode((6000 * np.sin(2 * np.pi * _BEEP_HZ * times)).astype("<i2").tobytes())
