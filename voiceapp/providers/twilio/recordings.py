"""Twilio's recordings: started and stopped during a call; their state, their audio, and their deletion."""

from __future__ import annotations

import datetime as dt
import io
import re
import time
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import requests

from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError, RetryClass, retry_after_s, retry_class_of

from .client import (
    CALL_SID,
    CONNECT_TIMEOUT_S,
    FAULTS,
    REFUSALS,
    RESPONSE_TIMEOUT_S,
    TwilioClient,
    is_over,
    provider_error,
)

RECORDING_SID = re.compile(r"RE[0-9a-f]{32}")
# https://www.twilio.com/docs/voice/api/recording: of a <Record>, and of a recording that was started over REST.
SOURCE_OF_RECORD_VERB = "RecordVerb"
SOURCE_OF_REST = "StartCallRecordingAPI"
# www.twilio.com/docs/api/errors/16101 and 16102.
WHY_ABSENT = {16101: KeptText("it is too short"), 16102: KeptText("nobody said anything")}
NOT_FOUND = 404
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
# Four hours, the longest call of an agent, in two channels of 16-bit samples at 8 kHz, and a header.
MAX_CALL_BYTES = 4 * 3600 * 8000 * 2 * 2 + 64 * 1024
WHOLE_MESSAGE_S = 20.0
WHOLE_CALL_S = 240.0
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CarrierRecording:
    """A recording as Twilio reports it. `duration_s` is None while Twilio does not know it."""

    sid: str
    call_sid: str
    status: str
    source: str = ""
    duration_s: int | None = None
    error_code: int | None = None
    started_at: dt.datetime | None = None

    @property
    def has_no_audio(self) -> bool:
        """There never was any, or it was deleted."""
        return self.status in ("absent", "deleted", "failed")

    @property
    def is_over(self) -> bool:
        return self.has_no_audio or self.status == "completed"


def why_absent(status: str, error_code: int | None) -> str:
    """A sentence about a recording without audio."""
    why = WHY_ABSENT.get(error_code or 0) or (f"error {error_code}" if error_code else "")
    if not why:
        return KeptText("Twilio reports that the recording is %(status)s.", status=status)
    return KeptText("Twilio reports that the recording is %(status)s: %(why)s.", status=status, why=why)


class NoAudio(Exception):
    """Twilio has no audio for the recording: it is not stored yet, or was deleted."""


class NeverRecorded(Exception):
    """Twilio has a recording without audio. The message is a sentence."""


class NotRecordable(ProviderError):
    """The call is over at Twilio, or was never answered."""

    def __init__(self) -> None:
        super().__init__("twilio", "the call is not in progress", permanent=True)


class TwilioRecordings(TwilioClient):
    """The recordings of one account. Every method raises ProviderError if Twilio does not carry out the request."""

    def find(self, sid: str) -> CarrierRecording | None:
        """None if Twilio does not know it, or no longer."""
        try:
            return _read(self._client.recordings(_checked(sid)).fetch())
        except FAULTS as fault:
            if _is_unknown(fault):
                return None
            raise provider_error(fault) from fault

    def of_call(self, call_sid: str) -> list[CarrierRecording]:
        """All recordings of a call, its second legs included."""
        try:
            return [_read(each) for each in self._client.recordings.list(call_sid=call_sid, limit=50)]
        except FAULTS as fault:
            raise provider_error(fault) from fault

    def delete(self, sid: str) -> bool:
        """False if Twilio no longer had it."""
        try:
            self._client.recordings(_checked(sid)).delete()
        except FAULTS as fault:
            if _is_unknown(fault):
                return False
            raise provider_error(fault) from fault
        return True

    def start(self, call_sid: str, *, status_callback: str) -> CarrierRecording:
        """Record both sides of a live call in two channels, the caller first, from now on. Raises NotRecordable.

        A request without a response may still have been carried out: `of_call` says so.
        """
        if not CALL_SID.fullmatch(call_sid):
            raise ProviderError("twilio", "not a CallSid", permanent=True)
        try:
            created = self._client.calls(call_sid).recordings.create(
                recording_channels="dual",
                recording_track="both",
                recording_status_callback=status_callback,
                recording_status_callback_method="POST",
                recording_status_callback_event=["in-progress", "completed", "absent"],
            )
        except FAULTS as fault:
            if is_over(fault):
                raise NotRecordable from fault
            raise provider_error(fault) from fault
        return _read(created)

    def stop(self, call_sid: str, sid: str) -> bool:
        """False if it was over already, or the call is."""
        if not CALL_SID.fullmatch(call_sid):
            raise ProviderError("twilio", "not a CallSid", permanent=True)
        try:
            self._client.calls(call_sid).recordings(_checked(sid)).update(status="stopped")
        except FAULTS as fault:
            if is_over(fault):
                return False
            raise provider_error(fault) from fault
        return True

    def download(self, sid: str) -> bytes:
        """The audio of a message as WAV. Raises NoAudio, NeverRecorded, and ProviderError also while it is not stored.

        NoAudio: it was deleted at Twilio.
        """
        audio = io.BytesIO()
        self._download(sid, audio, query="", largest_bytes=MAX_MESSAGE_BYTES, whole_s=WHOLE_MESSAGE_S)
        return audio.getvalue()

    def download_call(self, sid: str, into: BinaryIO) -> None:
        """The audio of a call as WAV in two channels. Raises as `download`."""
        query = "?RequestedChannels=2"
        self._download(sid, into, query=query, largest_bytes=MAX_CALL_BYTES, whole_s=WHOLE_CALL_S)

    def _download(self, sid: str, into: BinaryIO, *, query: str, largest_bytes: int, whole_s: float) -> None:
        try:
            self._request_audio(sid, into, query=query, largest_bytes=largest_bytes, whole_s=whole_s)
        except NoAudio:
            found = self.find(sid)
            if found is None:
                raise NoAudio("The recording was deleted at Twilio before it could be fetched.") from None
            if found.has_no_audio:
                raise NeverRecorded(why_absent(found.status, found.error_code)) from None
            raise ProviderError("twilio", KeptText("the recording is not stored yet")) from None

    def _request_audio(self, sid: str, into: BinaryIO, *, query: str, largest_bytes: int, whole_s: float) -> None:
        address = f"{self.account_url}/Recordings/{_checked(sid)}.wav{query}"
        deadline, received = time.monotonic() + whole_s, 0
        try:
            with requests.get(
                address, auth=self.credentials, stream=True, timeout=(CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S)
            ) as response:
                if response.status_code == NOT_FOUND:
                    raise NoAudio(sid)
                if response.status_code != requests.codes.ok:
                    _refuse(response)
                for piece in response.iter_content(CHUNK_BYTES):
                    received += len(piece)
                    if received > largest_bytes:
                        raise ProviderError("twilio", "the audio is too large", permanent=True)
                    if time.monotonic() > deadline:
                        raise ProviderError("twilio", "the audio arrives too slowly")
                    into.write(piece)
        except requests.RequestException as exc:
            raise ProviderError("twilio", f"no audio ({type(exc).__name__})") from exc


def _refuse(response: requests.Response) -> NoReturn:
    wait_s = retry_after_s(response.headers.get("Retry-After"))
    retry_class = retry_class_of(response.status_code, retry_after_s=wait_s)
    named_s = wait_s if retry_class is RetryClass.WAIT else None
    message = f"the audio: returned {response.status_code}"
    raise ProviderError("twilio", message, retry_class=retry_class, retry_after_s=named_s)


def _read(resource: object) -> CarrierRecording:
    duration = str(getattr(resource, "duration", "") or "")
    error_code = getattr(resource, "error_code", None)
    started_at = getattr(resource, "start_time", None)
    return CarrierRecording(
        sid=str(getattr(resource, "sid", "")),
        call_sid=str(getattr(resource, "call_sid", "")),
        status=str(getattr(resource, "status", "")),
        source=str(getattr(resource, "source", "") or ""),
        duration_s=int(duration) if duration.isdigit() else None,
        error_code=error_code if isinstance(error_code, int) else None,
        started_at=started_at if isinstance(started_at, dt.datetime) else None,
    )


def _is_unknown(fault: Exception) -> bool:
    return isinstance(fault, REFUSALS) and fault.status == NOT_FOUND


def _checked(sid: str) -> str:
    if not RECORDING_SID.fullmatch(sid):
        raise ProviderError("twilio", "not a RecordingSid", permanent=True)
    return sid
