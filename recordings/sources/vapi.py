"""VAPI's recording of a call that it plays as a source: from beginning to end, the caller first where it is stereo."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.utils import timezone

from recordings.models import Recording
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.vapi.client import VapiCall, VapiClient, VapiError, VapiErrorKind
from voiceapp.providers.vapi.recordings import download_recording, recording_of

from .disk import disk_faults
from .report import RecordingReport, State

NO_RECORDING = "VAPI reports no recording of this call."


def report_of(call: VapiCall) -> RecordingReport:
    """A call at VAPI in our terms. One that is over and has no recording may still get it."""
    is_fetchable = call.is_over and bool(recording_of(call.fields).url)
    return RecordingReport(
        source=Recording.Source.VAPI,
        external_id=call.id,
        state=State.STORING if call.is_over else State.RECORDING,
        started_at=call.started_at,
        ended_at=call.ended_at,
        reported_at=timezone.now(),
        is_fetchable=is_fetchable,
    )


def find_report(recording: Recording) -> RecordingReport | None:
    """None if VAPI does not know the call. Raises ProviderError."""
    call = _find(recording)
    return report_of(call) if call else None


def fetch(recording: Recording, into: Path) -> None:
    """Write VAPI's file, stereo where there is one. Raises ProviderError."""
    call = _find(recording)
    if call is None:
        raise ProviderError(
            "vapi", KeptText("the call was deleted there before its recording was fetched"), permanent=True
        )
    url = recording_of(call.fields).url
    if not url:
        raise ProviderError("vapi", KeptText("the call has no recording yet"))
    with disk_faults(), into.open("wb") as file:
        download_recording(url, file, may_be_local=bool(settings.SIMULATORS) or settings.DEBUG)


def delete(recording: Recording) -> None:
    """The call at VAPI with its recording, also if it is gone already. Raises ProviderError."""
    release_connections()
    VapiClient.from_settings().delete_call(recording.external_id or "")


def _find(recording: Recording) -> VapiCall | None:
    release_connections()
    try:
        return VapiClient.from_settings().get_call(recording.external_id or "")
    except VapiError as error:
        if error.kind is VapiErrorKind.NOT_FOUND:
            return None
        raise
