"""What each of VAPI's messages does to a call. It is safe to process one twice, late and out of order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import structlog
from django.utils import timezone

from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, CallEvent, CallState
from sessions.calls.services import possible_end, record_event
from telephony.events.models import ProviderEvent
from telephony.events.replaying import obstacles, replays, through_the_inbox
from voiceapp.providers.vapi.messages import VapiMessage, part_of, text_of

from .legs import CallUnknown, find_leg
from .models import VapiLeg
from .reports import REPORT_WITHIN, apply_report, end_carried_call, read_report

logger = structlog.get_logger("vapi")

SAME_HANG = dt.timedelta(seconds=10)
# In the order in which a call goes through them: a message that is late does not lead back.
STATUSES = ("scheduled", "queued", "ringing", "in-progress", "forwarding", "ended", "not-found")


def process_vapi_event(stored: ProviderEvent) -> None:
    """A message about no call of ours, such as one that was deleted, is done, too: its words go."""
    message = VapiMessage(stored.fields)
    try:
        leg = find_leg(message)
    except CallUnknown as exc:
        logger.warning("message about an unknown call", kind=stored.kind, reason=exc.reason)
        _forget_words(stored)
        return
    ProviderEvent.objects.filter(pk=stored.pk, call=None).update(call=leg.call_id)
    at = min(message.timestamp or stored.created_at, stored.created_at)
    EVENTS[stored.kind](leg, message, at)
    _forget_words(stored)


def _status_update(leg: VapiLeg, message: VapiMessage, at: dt.datetime) -> None:
    status = text_of(message.record, "status", longest=24)
    if status not in STATUSES:
        return
    earlier = STATUSES[: STATUSES.index(status)]
    if not VapiLeg.objects.filter(pk=leg.pk, status__in=("", *earlier)).update(status=status):
        return
    reason = text_of(message.record, "endedReason", longest=120)
    if status in ("ended", "not-found"):
        is_unreported = VapiLeg.objects.filter(pk=leg.pk, reported_at=None)
        is_unreported.update(ended_reason=reason, check_at=timezone.now() + REPORT_WITHIN)
    if not leg.carries_phone:
        return
    if status == "in-progress":
        _connect(leg.call, at)
    elif status == "ended":
        end_carried_call(leg, reason, at=at)


def _connect(call: Call, at: dt.datetime) -> None:
    connected_at = possible_end(call, at)
    is_ringing = Call.objects.filter(pk=call.pk, state=CallState.RINGING)
    if is_ringing.update(state=CallState.CONNECTED, connected_at=connected_at, lease_expires_at=None):
        record_event(call.pk, "connected", at=connected_at)
        announce_calls(call.organization_id, call.pk)


def _end_of_call_report(leg: VapiLeg, message: VapiMessage, at: dt.datetime) -> None:
    apply_report(leg, read_report(message.record))


def _hang(leg: VapiLeg, message: VapiMessage, at: dt.datetime) -> None:
    """VAPI's assistant is slow to answer. The bridge may know that from its socket."""
    about = CallEvent.objects.filter(call=leg.call_id, kind="agent_slow", at__range=(at - SAME_HANG, at + SAME_HANG))
    if not about.exists():
        record_event(leg.call_id, "agent_slow", at=at)


def _transfer_update(leg: VapiLeg, message: VapiMessage, at: dt.datetime) -> None:
    record_event(leg.call_id, "vapi_transfer", {"to": text_of(part_of(message.record, "destination"), "type")}, at=at)


def _forget_words(stored: ProviderEvent) -> None:
    """What was said is in the transcript now, which has its own rules of who may read it and for how long."""
    artifact = stored.fields.get("artifact")
    if isinstance(artifact, Mapping) and "messages" in artifact:
        rest = {name: value for name, value in artifact.items() if name != "messages"}
        ProviderEvent.objects.filter(pk=stored.pk).update(fields={**stored.fields, "artifact": rest})


WAS_ANSWERED = "VAPI waited for the answer, and what it asked with is not stored."
NO_WORDS = "Its words were removed when they became the transcript."


def register_replays() -> None:
    """Called once, when the app is ready."""
    replays.update({("vapi", kind): through_the_inbox for kind in EVENTS if kind != "end-of-call-report"})
    obstacles.update({("vapi", "end-of-call-report"): NO_WORDS, ("vapi", ""): WAS_ANSWERED})


Handler = Callable[[VapiLeg, VapiMessage, dt.datetime], None]
EVENTS: Mapping[str, Handler] = {
    "status-update": _status_update,
    "end-of-call-report": _end_of_call_report,
    "hang": _hang,
    "transfer-update": _transfer_update,
}
