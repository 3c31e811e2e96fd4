"""Record: a message after the tone, kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

import numpy as np

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio.account import new_sid
from voiceapp.simulators.twilio.callbacks import Callback
from voiceapp.simulators.twilio.frames import milliseconds
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.speech_detector import SpeechDetector
from voiceapp.simulators.twilio.twiml import Document, Verb

_TIMEOUT_S = 5
_MAX_LENGTH_S = 3600
_BEEP_S, _BEEP_HZ = 0.4, 1000
# Until the audio can be fetched, and the callback says so.
_PROCESSING_S = 0.5
_SILENT = "16102"


async def record(call: CallLeg, verb: Verb, document: Document) -> Document | None:
    """Returns the document of the action; None, for the next verb, if nothing was spoken.

    The action is also requested if the caller hangs up.
    """
    message = _Message(call, verb)
    try:
        if verb.get("playBeep", "true") == "true":
            await call.line.play(_beep())
        ended_by = await message.record()
    except BaseException:
        # The caller hung up: the message is kept and the action requested, but its document is not executed.
        if message.has_speech:
            call.account.fetch_in_background(_fetch_action(call, verb, document, message, "hangup"))
        else:
            _report_absent(call, verb, document)
        raise
    if not message.has_speech:
        _report_absent(call, verb, document)
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


async def _fetch_action(
    call: CallLeg, verb: Verb, document: Document, message: _Message, digits: str
) -> Document | None:
    sid = call.account.keep_recording(call.sid, bytes(message.audio), ready_in_s=_PROCESSING_S)
    call.log.recordings.append(sid)
    seconds = round(milliseconds(message.audio) / 1000)
    call.log.event("message_recorded", sid=sid, seconds=seconds)
    if "recording_unreported" in call.faults:
        return None
    about = {"RecordingUrl": _url(call, sid), "RecordingSid": sid, "RecordingDuration": str(seconds)}
    _report(call, verb, document, "completed", about)
    extra = about | ({"Digits": digits} if digits else {})
    return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"), extra=extra)


def _report_absent(call: CallLeg, verb: Verb, document: Document) -> None:
    sid = new_sid("RE")
    about = {"RecordingUrl": _url(call, sid), "RecordingSid": sid, "RecordingDuration": "0", "ErrorCode": _SILENT}
    _report(call, verb, document, "absent", about)


def _url(call: CallLeg, sid: str) -> str:
    return f"{call.account.base_url}/2010-04-01/Accounts/{call.account.sid}/Recordings/{sid}"


def _report(call: CallLeg, verb: Verb, document: Document, status: str, about: Mapping[str, str]) -> None:
    """Request the callback once the recording is processed, whether or not the call is still going on."""
    url = verb.get("recordingStatusCallback")
    if not url or status not in verb.get("recordingStatusCallbackEvent", "completed").split():
        return
    params = {
        **about,
        "AccountSid": call.account.sid,
        "CallSid": call.sid,
        "RecordingStatus": status,
        "RecordingChannels": "1",
        "RecordingSource": "RecordVerb",
        "RecordingStartTime": format_datetime(datetime.now(UTC)),
        "RecordingTrack": "inbound",
    }
    method = verb.get("recordingStatusCallbackMethod", "POST")
    callback = Callback(document.absolute(url), params, method)
    for _ in range(2 if "callbacks_doubled" in call.faults else 1):
        call.account.fetch_in_background(_send_later(call, callback))


async def _send_later(call: CallLeg, callback: Callback) -> None:
    await asyncio.sleep(_PROCESSING_S)
    await call.account.webhooks.request(
        callback.url,
        callback.params,
        method=callback.method,
        has_valid_signature=not call.faults.breaks_signature_of("callbacks"),
    )


def _beep() -> bytes:
    times = np.arange(int(_BEEP_S * 8000)) / 8000
    return mulaw.encode((6000 * np.sin(2 * np.pi * _BEEP_HZ * times)).astype("<i2").tobytes())
