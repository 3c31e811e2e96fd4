"""Twilio's recordings: their state, their audio, and their deletion."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import NoReturn

import requests

from voiceapp.providers.errors import ProviderError, RetryClass, retry_after_s, retry_class_of

from .client import CONNECT_TIMEOUT_S, FAULTS, REFUSALS, RESPONSE_TIMEOUT_S, TwilioClient, provider_error

RECORDING_SID = re.compile(r"RE[0-9a-f]{32}")
# Of a <Record>: https://www.twilio.com/docs/voice/api/recording
SOURCE_OF_RECORD_VERB = "RecordVerb"
NOT_FOUND = 404
MAX_AUDIO_BYTES = 32 * 1024 * 1024
WHOLE_DOWNLOAD_S = 20.0
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

    @property
    def has_no_audio(self) -> bool:
        """There never was any, or it was deleted."""
        return self.status in ("absent", "deleted", "failed")


class NoAudio(Exception):
    """Twilio has no audio for the recording: it is not stored yet, or was deleted."""


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

    def download(self, sid: str) -> bytes:
        """The audio as WAV. Raises NoAudio while Twilio has none."""
        address = f"{self.account_url}/Recordings/{_checked(sid)}.wav"
        deadline = time.monotonic() + WHOLE_DOWNLOAD_S
        try:
            with requests.get(
                address, auth=self.credentials, stream=True, timeout=(CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S)
            ) as response:
                if response.status_code == NOT_FOUND:
                    raise NoAudio(sid)
                if response.status_code != requests.codes.ok:
                    _refuse(response)
                return _audio_of(response, deadline)
        except requests.RequestException as exc:
            raise ProviderError("twilio", f"no audio ({type(exc).__name__})") from exc


def _audio_of(response: requests.Response, deadline: float) -> bytes:
    audio = bytearray()
    for piece in response.iter_content(CHUNK_BYTES):
        audio += piece
        if len(audio) > MAX_AUDIO_BYTES:
            raise ProviderError("twilio", "the audio is too large", permanent=True)
        if time.monotonic() > deadline:
            raise ProviderError("twilio", "the audio arrives too slowly")
    return bytes(audio)


def _refuse(response: requests.Response) -> NoReturn:
    wait_s = retry_after_s(response.headers.get("Retry-After"))
    retry_class = retry_class_of(response.status_code, retry_after_s=wait_s)
    named_s = wait_s if retry_class is RetryClass.WAIT else None
    message = f"the audio: returned {response.status_code}"
    raise ProviderError("twilio", message, retry_class=retry_class, retry_after_s=named_s)


def _read(resource: object) -> CarrierRecording:
    duration = str(getattr(resource, "duration", "") or "")
    error_code = getattr(resource, "error_code", None)
    return CarrierRecording(
        sid=str(getattr(resource, "sid", "")),
        call_sid=str(getattr(resource, "call_sid", "")),
        status=str(getattr(resource, "status", "")),
        source=str(getattr(resource, "source", "") or ""),
        duration_s=int(duration) if duration.isdigit() else None,
        error_code=error_code if isinstance(error_code, int) else None,
    )


def _is_unknown(fault: Exception) -> bool:
    return isinstance(fault, REFUSALS) and fault.status == NOT_FOUND


def _checked(sid: str) -> str:
    if not RECORDING_SID.fullmatch(sid):
        raise ProviderError("twilio", "not a RecordingSid", permanent=True)
    return sid
