"""Alarms a person about an order that nobody accepted in time: once per order, by a call or a text.

The outbox carries each step, so that it is done however often a process dies. A call is placed once: `calling_since` is
committed before the request, and whoever takes over looks first whether the carrier has the call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from twilio.twiml.voice_response import VoiceResponse

from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from agents.transfers.numbers import MESSAGES, why_not_called
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text
from sessions.messages.texts.services.checking import sender_of
from sessions.messages.texts.services.queueing import queue_text, text_language
from sessions.messages.texts.wording import default_body, money_words, render
from sessions.orders.models import Order, OrderState
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.phones.numbers import show_number
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.client import TwilioClient

from .announcing import announce_orders
from .models import AlarmBy, AlarmState, BoardSettings, OrderAlarm, board_settings_of

TOPIC = "order.alarm"
OUTCOME_TOPIC = "order.alarm_outcome"
# However many orders wait: a person who is called this often knows it.
MOST_PER_HOUR = 20
# After an interrupted request the call may still appear at Twilio for so long.
SETTLES_WITHIN = dt.timedelta(seconds=15)
LOOK_EVERY = dt.timedelta(seconds=10)
# Ringing and talking take less.
OVER_WITHIN = dt.timedelta(minutes=5)
TALK_S = 120
VOICEMAIL = "A voicemail answered."
TIMES_SAID = 2
VOICES: Mapping[str, str] = {"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
ENDED: Mapping[str, AlarmState] = {"completed": AlarmState.ANSWERED, "failed": AlarmState.FAILED}


def schedule_alarm(order: Order) -> None:
    """In the transaction that places the order. What is set when the time has passed decides who is alarmed."""
    board = board_settings_of(order.organization)
    if board.alarm_after_s:
        outbox.enqueue(
            TOPIC,
            partition_key=f"order:{order.pk}",
            body={"alarmOf": str(order.pk)},
            organization=order.organization,
            delay=dt.timedelta(seconds=board.alarm_after_s),
        )


def raise_alarm(message: OutboxMessage) -> None:
    """The outbox's handler. Nothing happens for an order that was accepted, refused, canceled or replaced."""
    order = Order.objects.select_related("organization").filter(pk=str(message.body["alarmOf"])).first()
    alarm = _begin(order) if order is not None else None
    if alarm is None or alarm.state != AlarmState.WAITING:
        return
    if alarm.by == AlarmBy.TEXT:
        _text(alarm)
        return
    try:
        _call(alarm)
    except ProviderError as fault:
        if fault.permanent or message.attempts >= outbox.max_attempts:
            end_alarm(alarm, AlarmState.FAILED, failure=str(fault))
            return
        raise


def _begin(order: Order) -> OrderAlarm | None:
    """The one alarm of the order; None if it needs none."""
    with transaction.atomic():
        state = Order.objects.select_for_update().only("state").get(pk=order.pk).state
        known = OrderAlarm.objects.filter(order=order).first()
        if known is not None:
            known.order = order
            return known
        board = board_settings_of(order.organization)
        if state != OrderState.SUBMITTED or not board.alarm_after_s:
            return None
        target = board.alarm_target
        alarm = OrderAlarm.objects.create(
            order=order,
            by=board.alarm_by,
            name=target.name if target else "anybody",
            number=target.number if target else "",
        )
        if why := _why_not(board, target):
            end_alarm(alarm, AlarmState.FAILED, failure=why)
        announce_orders(order.organization_id)
        return alarm


def _why_not(board: BoardSettings, target: TransferTarget | None) -> str:
    if target is None:
        return "Nobody is chosen in the order board settings."
    why = why_not_called(target.number, board.organization)
    if why is not None:
        return str(MESSAGES.get(why, "This number cannot be called."))
    last_hour = timezone.now() - dt.timedelta(hours=1)
    alarms = OrderAlarm.objects.filter(order__organization=board.organization, created_at__gt=last_hour)
    if alarms.count() > MOST_PER_HOUR:
        return f"More than {MOST_PER_HOUR} alarms in an hour: no more are sent."
    return ""


def _text(alarm: OrderAlarm) -> None:
    organization = alarm.order.organization
    with transaction.atomic():
        queue_text(
            organization,
            to=alarm.number,
            kind=TextKind.ORDER_ALARM,
            fields=_facts(alarm.order),
            key=text_key(alarm.order),
            about=str(alarm.order_id),
        )
        end_alarm(alarm, AlarmState.TEXTED)


def text_key(order: Order) -> str:
    return f"order:{order.pk}:alarm"


def text_of(order: Order) -> Text | None:
    return Text.objects.filter(organization=order.organization_id, key=text_key(order)).first()


def still_waits(text: Text) -> bool:
    """Whether a text's alarm is still true when it is sent."""
    return Order.objects.filter(pk=text.about, state=OrderState.SUBMITTED).exists()


def _call(alarm: OrderAlarm) -> None:
    """Raises ProviderError; permanent where the call cannot be placed."""
    client = TwilioClient.from_settings()
    sender = sender_of(alarm.order.organization, None)
    if not sender:
        raise ProviderError("twilio", KeptText("the organization has no active phone number"), permanent=True)
    if alarm.calling_since is not None and (sid := _find(client, alarm)):
        _placed(alarm, sid)
        return
    if not Order.objects.filter(pk=alarm.order_id, state=OrderState.SUBMITTED).exists():
        end_alarm(alarm, AlarmState.FAILED, failure="The order was accepted before the call could be placed.")
        return
    OrderAlarm.objects.filter(pk=alarm.pk).update(calling_since=timezone.now())
    twiml = spoken(alarm.order)
    release_connections()
    sid = client.call_and_say(
        to=alarm.number, from_=sender, twiml=twiml, ring_s=settings.TRANSFER_RING_S, limit_s=TALK_S
    )
    _placed(alarm, sid)


def _find(client: TwilioClient, alarm: OrderAlarm) -> str:
    """The call of an interrupted request; empty if there is none. Raises ProviderError while that is not sure."""
    assert alarm.calling_since is not None
    release_connections()
    for sid in client.find_calls(to=alarm.number, since=alarm.calling_since):
        if not OrderAlarm.objects.filter(call_sid=sid).exists():
            return sid
    wait = SETTLES_WITHIN - (timezone.now() - alarm.calling_since)
    if wait > dt.timedelta():
        raise ProviderError(
            "twilio", KeptText("did not respond; the call may still appear"), retry_after_s=wait.total_seconds()
        )
    return ""


def _placed(alarm: OrderAlarm, sid: str) -> None:
    with transaction.atomic():
        OrderAlarm.objects.filter(pk=alarm.pk).update(state=AlarmState.RINGING, call_sid=sid)
        _look_later(alarm)
        announce_orders(alarm.order.organization_id)


def _look_later(alarm: OrderAlarm) -> None:
    outbox.enqueue(
        OUTCOME_TOPIC,
        partition_key=f"order:{alarm.order_id}",
        body={"alarmOf": str(alarm.order_id)},
        organization=alarm.order.organization,
        delay=LOOK_EVERY,
    )


def note_outcome(message: OutboxMessage) -> None:
    """The outbox's handler: how the call ended, or another look a little later."""
    alarms = OrderAlarm.objects.select_related("order__organization")
    alarm = alarms.filter(order__pk=str(message.body["alarmOf"]), state=AlarmState.RINGING).first()
    if alarm is None or alarm.call_sid is None:
        return
    release_connections()
    call = TwilioClient.from_settings().fetch_call(alarm.call_sid)
    if call.is_over and call.is_by_machine:
        end_alarm(alarm, AlarmState.NOT_ANSWERED, failure=VOICEMAIL)
    elif call.is_over:
        end_alarm(alarm, ENDED.get(call.status, AlarmState.NOT_ANSWERED), failure="" if call.status != "failed" else
                  "The carrier could not place the call.")  # fmt: skip
    elif timezone.now() - alarm.created_at > OVER_WITHIN:
        end_alarm(alarm, AlarmState.FAILED, failure="The carrier did not report how the call ended.")
    else:
        _look_later(alarm)


def end_alarm(alarm: OrderAlarm, state: AlarmState, *, failure: str = "") -> None:
    alarm.state, alarm.failure, alarm.ended_at = state, failure[:200], timezone.now()
    alarm.save(update_fields=["state", "failure", "ended_at"])
    announce_orders(alarm.order.organization_id)


def spoken(order: Order) -> str:
    """What the person hears, twice."""
    language = text_language(order.organization, None)
    sentence = render(TextKind.ORDER_ALARM, default_body(TextKind.ORDER_ALARM, language), _all_facts(order))
    response = VoiceResponse()
    for _ in range(TIMES_SAID):
        response.say(sentence, language=VOICES.get(language, VOICES["en"]))
        response.pause(length=1)
    response.hangup()
    return str(response)


def _facts(order: Order) -> dict[str, object]:
    language = text_language(order.organization, None)
    return {"number": order.number, "total": money_words(order.total, order.currency, language)}


def _all_facts(order: Order) -> dict[str, object]:
    organization: Organization = order.organization
    sender = sender_of(organization, None)
    return {**_facts(order), "name": organization.name, "phone": show_number(sender) if sender else ""}
