"""What Twilio reports of the recordings of calls: kept in the inbox, then applied, in any order and repeated."""

from __future__ import annotations

import structlog

from recordings.models import Recording
from recordings.services.reports import apply_report, set_external_id
from recordings.sources.twilio import report_of
from sessions.calls.models import Call
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from voiceapp.providers.twilio.recordings import RECORDING_SID, SOURCE_OF_REST, CarrierRecording

logger = structlog.get_logger("recordings")

SOURCE = "twilio"
KIND = "recording"
TWILIO = Recording.Source.TWILIO


def note_recording_report(call: Call, *, recording_sid: str, status: str, error_code: int | None) -> None:
    """Keep a verified callback once, for a worker. What is no SID of a recording is about none of ours."""
    if RECORDING_SID.fullmatch(recording_sid):
        inbox.store(
            SOURCE,
            dedup_key=f"{recording_sid}:{status}",
            kind=f"{KIND}.{status}",
            partition_key=recording_sid,
            fields={"callId": str(call.pk), "status": status, "errorCode": error_code},
        )


def process_twilio_event(stored: ProviderEvent) -> None:
    """A report about a recording that is none of ours, such as one started in Twilio's console, changes nothing."""
    sid, fields = stored.partition_key, stored.fields
    call = Call.objects.filter(pk=fields["callId"]).first()
    if call is None:
        return
    ProviderEvent.objects.filter(pk=stored.pk, call=None).update(call=call)
    found = CarrierRecording(
        sid=sid,
        call_sid=call.carrier_sid or "",
        status=str(fields["status"]),
        source=SOURCE_OF_REST,
        error_code=fields["errorCode"],
    )
    _adopt(call, sid)
    if apply_report(report_of(found, reported_at=stored.created_at)) is None:
        logger.warning("report of an unknown recording", call_id=str(call.pk), recording_sid=sid, status=found.status)


def _adopt(call: Call, sid: str) -> None:
    """The report came before the response to our request, or that was lost: the id is that of the row without one."""
    if not Recording.objects.filter(source=TWILIO, external_id=sid).exists():
        requested = Recording.objects.filter(call=call, source=TWILIO, external_id=None).first()
        if requested is not None:
            set_external_id(requested, sid)
