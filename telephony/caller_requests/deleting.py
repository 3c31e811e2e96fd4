"""Deletes everything of one caller: copies at providers, files, then rows. Each step is safe to repeat after a kill.

Calls and texts are deleted. Orders and appointments stay as business records, without name, number and notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import structlog
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from agents.audit_log.services import forget_in_audit_log
from agents.privacy.models import OnHold, refuse_on_hold
from recordings.models import Recording
from recordings.services.deleting import delete_audio
from sessions.analytics.changes import note_day_change
from sessions.analytics.services import times_of
from sessions.appointments.calendars.services.outgoing import enqueue_calendar_updates
from sessions.appointments.feeds import announce_appointments
from sessions.appointments.models import Appointment, AppointmentEvent
from sessions.call_lists.services import forget_number
from sessions.calls.models import LIVE_STATES, Call
from sessions.calls.search.index import forget_removed, overwrite_what_is_removed
from sessions.messages.endpoints.models import WebhookAttempt
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.models import OptOut, Text
from sessions.orders.models import CallerNotRemembered, Order, OrderEvent, OrderLine
from telephony.events.models import ProviderEvent
from telephony.livekit.events import delete_waiting_events
from telephony.scenarios.models import Scenario
from telephony.twilio.voicemail.models import Voicemail
from telephony.vapi.webhooks import SOURCE as VAPI
from voiceapp.core.errors import ApplicationError
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.client import CALL_SID
from voiceapp.providers.twilio.messages import MESSAGE_SID, MessagesClient
from voiceapp.providers.twilio.recordings import RECORDING_SID, TwilioRecordings
from voiceapp.providers.vapi.client import VapiClient

from .finding import CallerData
from .models import CallerRequest

logger = structlog.get_logger("caller_requests")

TOPIC = "caller.delete"
State = CallerRequest.State
# What an order and an appointment say of a person, in the messages to other systems.
PERSONAL = ("customerName", "customerNumber", "note", "vehicle", "street", "postcode", "place")
NO_NAME = "Deleted"
EMPTY_ORDER = {"customer_name": "", "customer_number": "", "note": "", "reason": "", "request_digest": "",
               "street": "", "postcode": "", "place": ""}  # fmt: skip
EMPTY_APPOINTMENT = {
    "customer_name": NO_NAME,
    "customer_number": "",
    "vehicle": "",
    "note": "",
    "cancel_reason": "",
    "request_digest": "",
}


class StillOnCall(ApplicationError):
    message = gettext_lazy("The caller is on a call now. Delete the data when the call is over.")


def start_deletion(request: CallerRequest, *, by: str) -> CallerRequest:
    """A worker deletes from now on; the request's page shows how far it is. Raises ApplicationError."""
    refuse_on_hold(request.organization)
    if data_of(request).calls.filter(state__in=LIVE_STATES).exists():
        raise StillOnCall
    with transaction.atomic():
        opened = CallerRequest.objects.filter(pk=request.pk, state=State.OPEN)
        if not opened.update(state=State.DELETING, deletion_by=by, waits_for=""):
            raise ApplicationError(gettext("This request is being worked on or over already."))
        outbox.enqueue(
            TOPIC,
            partition_key=f"caller-request:{request.pk}",
            body={"requestId": str(request.pk)},
            organization=request.organization,
        )
    request.refresh_from_db()
    return request


def close_request(request: CallerRequest) -> None:
    """Without deletion. Nothing of the caller stays in it."""
    opened = CallerRequest.objects.filter(pk=request.pk, state=State.OPEN)
    if not opened.update(state=State.CLOSED, number="", ended_at=timezone.now()):
        raise ApplicationError(gettext("This request is being worked on or over already."))


def retry_deletion(request: CallerRequest) -> None:
    """With all attempts again."""
    jobs = OutboxMessage.objects.filter(topic=TOPIC, partition_key=f"caller-request:{request.pk}")
    outbox.retry(jobs.exclude(state=OutboxMessage.State.DONE))


def data_of(request: CallerRequest) -> CallerData:
    return CallerData(request.organization, str(request.number))


def delete_caller(message: OutboxMessage) -> None:
    """The handler of the outbox. Raises ProviderError to be repeated."""
    request = CallerRequest.objects.select_related("organization").filter(pk=message.body["requestId"]).first()
    if request is None or request.state != State.DELETING:
        return
    overwrite_what_is_removed()
    try:
        refuse_on_hold(request.organization)
        _delete_all(request, data_of(request))
    except (ProviderError, OnHold) as fault:
        CallerRequest.objects.filter(pk=request.pk).update(waits_for=str(fault)[:300])
        raise fault if isinstance(fault, ProviderError) else ProviderError("legal hold", KeptText("is on")) from fault
    forget_removed()
    done = CallerRequest.objects.filter(pk=request.pk, state=State.DELETING)
    done.update(state=State.DELETED, number="", waits_for="", ended_at=timezone.now())
    logger.info("caller deleted", request_id=str(request.pk))


def _delete_all(request: CallerRequest, data: CallerData) -> None:
    # Whole lists: the connection is released before each request to a provider.
    for text in list(data.texts.defer("body")):
        _delete_text(request, text)
    for order in list(data.orders):
        _empty_order(request, order)
    for appointment in list(data.appointments.select_related("organization")):
        _empty_appointment(request, appointment)
    for call in list(data.calls.select_related("organization")):
        _delete_call(request, call)
    with transaction.atomic():
        opt_outs = list(data.opt_outs.values_list("pk", flat=True))
        _forget_history(OptOut, opt_outs)
        _forget_history(CallerNotRemembered, list(data.not_remembered.values_list("pk", flat=True)))
        deleted = data.opt_outs.delete()[0] + data.not_remembered.delete()[0]
        views = forget_number(request.organization, str(request.number))
        forget_in_audit_log(request.organization, str(request.number))
        _count(request, {"opt-outs": deleted, "saved views": views})


def _delete_call(request: CallerRequest, call: Call) -> None:
    if call.state in LIVE_STATES:
        raise ProviderError("call", KeptText("the caller is on a call now"))
    _delete_at_providers(call)
    recordings = list(call.recordings.select_related("call__organization").defer("peaks"))
    for recording in recordings:
        delete_audio(recording)
    with transaction.atomic():
        counted = {
            "calls": 1,
            "transcript lines": call.lines.count(),
            "recordings": len(recordings),
            "voicemail messages": call.voicemails.count(),
            "scenarios": _delete_scenarios(call),
        }
        keys = [str(call.pk), f"call:{call.pk}", *(f"recording:{each.pk}" for each in recordings)]
        keys += [f"voicemail:{each}" for each in call.voicemails.values_list("pk", flat=True)]
        # What is still to be posted of an order is about the order, and was emptied before.
        OutboxMessage.objects.filter(Q(partition_key__in=keys) | Q(about__in=keys)).delete()
        # Reports that wait for a worker name no call yet.
        of_legs = call.vapi_legs.values("vapi_id")
        ProviderEvent.objects.filter(source=VAPI, call=None, partition_key__in=of_legs).delete()
        delete_waiting_events(call)
        _forget_history(Voicemail, list(call.voicemails.values_list("pk", flat=True)))
        _forget_history(Recording, [each.pk for each in recordings])
        _forget_history(Call, [call.pk])
        note_day_change(call.organization_id, *times_of(call))
        if Call.objects.filter(pk=call.pk).delete()[0]:
            _count(request, counted)


def _delete_scenarios(call: Call) -> int:
    """Those made from the call: their steps are what the caller said."""
    made = Scenario.objects.filter(made_from=call)
    ids = list(made.values_list("pk", flat=True))
    _forget_history(Scenario, ids)
    made.delete()
    return len(ids)


def _delete_at_providers(call: Call) -> None:
    """Also what is gone there already. Raises ProviderError."""
    release_connections()
    if settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN:
        twilio = TwilioRecordings.from_settings()
        for sid in call.voicemails.values_list("recording_sid", flat=True):
            if RECORDING_SID.fullmatch(sid):
                twilio.delete(sid)
        for call_sid in [call.carrier_sid, *call.transfers.values_list("attempts__call_sid", flat=True)]:
            if call_sid and CALL_SID.fullmatch(call_sid):
                for recording in twilio.of_call(call_sid):
                    twilio.delete(recording.sid)
                twilio.delete_call(call_sid)
    if settings.VAPI_API_KEY:
        for vapi_id in list(call.vapi_legs.values_list("vapi_id", flat=True)):
            VapiClient.from_settings().delete_call(vapi_id)


def _delete_text(request: CallerRequest, text: Text) -> None:
    if text.provider_sid and MESSAGE_SID.fullmatch(text.provider_sid) and settings.TWILIO_ACCOUNT_SID:
        release_connections()
        MessagesClient.from_settings().delete_message(text.provider_sid)
    with transaction.atomic():
        key = f"text:{text.pk}"
        OutboxMessage.objects.filter(Q(partition_key=key) | Q(about=key)).delete()
        _forget_history(Text, [text.pk])
        note_day_change(text.organization_id, text.sent_at)
        _count(request, {"texts": bool(Text.objects.filter(pk=text.pk).delete()[0])})


def _empty_order(request: CallerRequest, order: Order) -> None:
    with transaction.atomic():
        full = Order.objects.filter(pk=order.pk).exclude(**EMPTY_ORDER)
        emptied = bool(full.update(**EMPTY_ORDER))
        OrderLine.objects.filter(order=order).update(note="")
        OrderEvent.objects.filter(order=order).update(reason="")
        _empty_messages(f"order:{order.pk}")
        _forget_history(Order, [order.pk])
        _count(request, {"orders": emptied})


def _empty_appointment(request: CallerRequest, appointment: Appointment) -> None:
    with transaction.atomic():
        full = Appointment.objects.filter(pk=appointment.pk).exclude(**EMPTY_APPOINTMENT)
        if not full.update(**EMPTY_APPOINTMENT, version=models.F("version") + 1):
            return
        AppointmentEvent.objects.filter(appointment=appointment).update(reason="")
        _empty_messages(f"appointment:{appointment.pk}")
        appointment.refresh_from_db()
        enqueue_calendar_updates(appointment)
        announce_appointments(appointment.organization_id)
        _forget_history(Appointment, [appointment.pk])
        _count(request, {"appointments": 1})


def _empty_messages(about: str) -> None:
    """What is still to be delivered is delivered without the person. Receivers' responses may repeat what was sent."""
    WebhookAttempt.objects.filter(message__about=about).delete()
    for message in OutboxMessage.objects.filter(about=about).select_for_update(of=("self",)):
        message.body = without_person(message.body)
        message.save(update_fields=["body"])


def without_person(body: object) -> object:
    if isinstance(body, Mapping):
        return {name: "" if name in PERSONAL else without_person(value) for name, value in body.items()}
    if isinstance(body, list):
        return [without_person(each) for each in body]
    return body


def _forget_history(model: type[models.Model], ids: Collection[object]) -> None:
    """Who did something stays in the history; what it said of the caller does not."""
    of_rows = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=[str(each) for each in ids]
    )
    of_rows.update(object_repr=NO_NAME, change_message="")


def _count(request: CallerRequest, counted: Mapping[str, int]) -> None:
    """In the transaction of what is counted, so that a repetition counts nothing twice."""
    row = CallerRequest.objects.select_for_update().get(pk=request.pk)
    total = Counter(row.deleted)
    total.update({kind: int(number) for kind, number in counted.items()})
    CallerRequest.objects.filter(pk=request.pk).update(deleted={kind: n for kind, n in total.items() if n})
