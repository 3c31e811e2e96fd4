"""Twilio's recording of a phone call as a source: both sides in two channels, the caller first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from recordings.models import Recording
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.recordings import (
    SOURCE_OF_REST,
    CarrierRecording,
    NeverRecorded,
    NoAudio,
    TwilioRecordings,
    why_absent,
)

from .disk import disk_faults
from .report import RecordingReport, State

CALLBACK_PATH = "/twilio/recording-status"
# What Twilio has completed is fetched, checked and stored here before it is `stored`.
STATES = {
    "in-progress": State.RECORDING,
    "paused": State.RECORDING,
    "stopped": State.STORING,
    "processing": State.STORING,
    "completed": State.STORING,
    "absent": State.FAILED,
    "failed": State.FAILED,
    "deleted": State.FAILED,
}


# Twilio's times are whole seconds, rounded down.
ROUNDED_BY = dt.timedelta(seconds=1)


def report_of(
    found: CarrierRecording, *, reported_at: dt.datetime, requested_at: dt.datetime | None = None
) -> RecordingReport:
    """A recording of Twilio's, from a response or a callback, in our terms. `requested_at`: it did not begin before."""
    started_at = found.started_at
    if started_at is not None and requested_at is not None:
        started_at = max(started_at, min(requested_at, started_at + ROUNDED_BY))
    return RecordingReport(
        source=Recording.Source.TWILIO,
        external_id=found.sid,
        state=STATES.get(found.status),
        started_at=started_at,
        reported_at=reported_at,
        error=why_absent(found.status, found.error_code) if found.has_no_audio else "",
        is_fetchable=found.status == "completed",
    )


def request_start(recording: Recording) -> RecordingReport:
    """Raises NotRecordable for a call that is over, and ProviderError, after which it may have started all the same."""
    release_connections()
    address = settings.PUBLIC_BASE_URL + CALLBACK_PATH
    requested_at = timezone.now()
    started = TwilioRecordings.from_settings().start(recording.call.carrier_sid or "", status_callback=address)
    return report_of(started, reported_at=timezone.now(), requested_at=requested_at)


def request_stop(recording: Recording, external_id: str) -> RecordingReport | None:
    """Its state afterwards, also if it was over already; None if Twilio does not know it. Raises ProviderError."""
    release_connections()
    twilio = TwilioRecordings.from_settings()
    twilio.stop(recording.call.carrier_sid or "", external_id)
    found = twilio.find(external_id)
    return report_of(found, reported_at=timezone.now(), requested_at=recording.started_at) if found else None


def find_report(recording: Recording) -> RecordingReport | None:
    """What Twilio knows of it; while we do not have its id, the call's one that is no other row's."""
    release_connections()
    twilio, now = TwilioRecordings.from_settings(), timezone.now()
    if recording.external_id:
        found = twilio.find(recording.external_id)
    else:
        of_call = [each for each in twilio.of_call(recording.call.carrier_sid or "") if each.source == SOURCE_OF_REST]
        known = Recording.objects.filter(source=Recording.Source.TWILIO, external_id__in=[each.sid for each in of_call])
        others = set(known.values_list("external_id", flat=True))
        found = next((each for each in of_call if each.sid not in others), None)
    return report_of(found, reported_at=now, requested_at=recording.started_at) if found else None


def fetch(recording: Recording, into: Path) -> None:
    """Write Twilio's WAV file. Raises ProviderError; it is permanent if there is no audio, and never will be."""
    release_connections()
    try:
        with disk_faults(), into.open("wb") as file:
            TwilioRecordings.from_settings().download_call(_sid(recording), file)
    except (NoAudio, NeverRecorded) as exc:
        raise ProviderError("twilio", str(exc), permanent=True) from exc


def delete(recording: Recording) -> None:
    """Also if it is gone already. Raises ProviderError."""
    release_connections()
    TwilioRecordings.from_settings().delete(_sid(recording))


def _sid(recording: Recording) -> str:
    return recording.external_id or ""
