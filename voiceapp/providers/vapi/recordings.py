"""The recording of a call at VAPI: where its file is, as the report of the call says, and the file itself.

VAPI signs the addresses for some minutes: request the call again rather than keep them (protocols C3).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from voiceapp.core.web_addresses import is_loopback, is_public
from voiceapp.providers.errors import ProviderError, retry_after_s, retry_class_of
from voiceapp.providers.pinned_http import AddressRefused, NameNotFound, NoResponse, PinnedHttp, TooLarge

from .errors import PROVIDER
from .messages import epoch_ms, part_of, text_of, time_of

MAX_URL = 4000
# Four hours in two channels of 16-bit samples at 16 kHz, as VAPI records.
MAX_BYTES = 4 * 3600 * 16_000 * 2 * 2 + 64 * 1024
WHOLE_DOWNLOAD_S = 240.0
READ_S = 10.0
NOT_YET = (403, 404)


@dataclass(frozen=True, slots=True)
class VapiRecording:
    """Addresses are secrets: who knows one may listen. Empty where VAPI has none."""

    mono_url: str
    stereo_url: str
    expires_at: dt.datetime | None

    @property
    def url(self) -> str:
        """The best there is."""
        return self.stereo_url or self.mono_url


def recording_of(record: Mapping[str, Any]) -> VapiRecording:
    """From the end-of-call report or `GET /call/{id}`, which name the addresses in places of several ages."""
    artifact = part_of(record, "artifact")
    recording = part_of(artifact, "recording")
    mono = part_of(recording, "mono")
    return VapiRecording(
        mono_url=_first_url(
            (artifact, "presignedMonoUrl"), (mono, "combinedUrl"), (artifact, "recordingUrl"), (record, "recordingUrl")
        ),
        stereo_url=_first_url(
            (artifact, "presignedStereoUrl"),
            (recording, "stereoUrl"),
            (artifact, "stereoRecordingUrl"),
            (record, "stereoRecordingUrl"),
        ),
        expires_at=time_of(artifact, "presignedUrlsExpiresAt") or epoch_ms(artifact.get("presignedUrlsExpiresAt")),
    )


def download_recording(url: str, into: BinaryIO, *, may_be_local: bool) -> None:
    """Write the file. Only from public addresses over https, also after a redirect; no credential is sent.

    `may_be_local`: VAPI is simulated on this machine. Raises ProviderError, which never quotes the address.
    """

    def is_allowed(named: httpx.URL) -> bool:
        if not named.host or named.userinfo:
            return False
        return named.scheme == "https" or (may_be_local and named.scheme == "http")

    def may_connect(address: str) -> bool:
        return is_public(address) or (may_be_local and is_loopback(address))

    http = PinnedHttp(may_connect, whole_s=WHOLE_DOWNLOAD_S, read_s=READ_S, max_body_bytes=MAX_BYTES)
    try:
        response = http.download(httpx.URL(url), into, is_allowed=is_allowed)
    except (NameNotFound, TooLarge, NoResponse) as exc:
        is_final = isinstance(exc, TooLarge)
        raise ProviderError(PROVIDER, f"no recording ({exc})", permanent=is_final) from exc
    except (AddressRefused, httpx.InvalidURL) as exc:
        raise ProviderError(PROVIDER, "the recording's address is refused", permanent=True) from exc
    if response.status != httpx.codes.OK:
        # VAPI reports a file before its storage has it everywhere.
        wait_s = retry_after_s(response.retry_after)
        retry_class = None if response.status in NOT_YET else retry_class_of(response.status, retry_after_s=wait_s)
        message = f"the recording: returned {response.status}"
        raise ProviderError(PROVIDER, message, retry_class=retry_class, retry_after_s=wait_s)


def _first_url(*places: tuple[Mapping[str, Any], str]) -> str:
    """Of the web alone."""
    found = (text_of(place, name, longest=MAX_URL) for place, name in places)
    return next((url for url in found if url.startswith(("https://", "http://"))), "")
