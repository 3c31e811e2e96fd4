"""The handlers of the outbox: one function per topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings

from sessions.appointments.announcements import TEXT_KINDS, Announcement
from sessions.appointments.calendars.services import outgoing as calendar_updates
from sessions.appointments.services.said_times import settle_appointments
from sessions.appointments.texts import still_stands
from sessions.calls.notes import leave_note
from sessions.calls.services import SAID_TOPIC
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.signing import signing_secret_of
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text
from sessions.messages.texts.reasons import explanation_of
from sessions.messages.texts.services.queueing import TOPIC as TEXT_TOPIC
from sessions.messages.texts.services.sending import send_text, still_true
from sessions.messages.texts.services.statuses import when_failed
from sessions.orders.services.confirmations import order_stands
from sessions.orders.services.said_times import settle_order_lines
from sessions.orders.services.submission import TOPIC
from sessions.realtime.services import hang_ups, voice_sessions
from sessions.rooms.services import closing as room_closing
from sessions.rooms.services import room_state, watchdog
from sessions.rooms.services.agents import WITHDRAW_TOPIC
from sessions.rooms.services.dispatches import withdraw_agent
from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.core.jobs.shared_receiver import SharedReceiver
from voiceapp.providers.aws.sqs import AwsQueue
from voiceapp.providers.orders_receiver import OrdersReceiver


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(TOPIC, post_order)
    for announcement in Announcement:
        outbox.register(announcement, post_appointment)
    outbox.register(TEXT_TOPIC, send_text)
    when_failed[:] = [tell_caller]
    for kind in (*TEXT_KINDS.values(), TextKind.APPOINTMENT_REMINDER):
        still_true[kind] = still_stands
    still_true[TextKind.ORDER_CONFIRMATION] = order_stands
    outbox.register(calendar_updates.TOPIC, calendar_updates.update_calendar)
    outbox.register(WITHDRAW_TOPIC, withdraw_agent)
    outbox.register(watchdog.DISPATCH_TOPIC, watchdog.bring_agent)
    outbox.register(SAID_TOPIC, settle_what_was_said)
    outbox.register(room_state.TOPIC, room_state.show_room_state)
    outbox.register(room_closing.TOPIC, room_closing.close_room)
    outbox.register(hang_ups.TOPIC, hang_ups.hang_up_now)
    queue = SharedReceiver(is_configured=lambda: bool(settings.VOICE_SESSION_QUEUE_URL))
    outbox.register(voice_sessions.TOPIC, announce_voice_session, receiver=queue)


def tell_caller(text: Text) -> None:
    """A text was not delivered: the agent tells the caller, if the call is still live."""
    if text.call_id is not None:
        leave_note(text.call_id, explanation_of(text.reason).say)


def settle_what_was_said(message: OutboxMessage) -> None:
    """Find in the transcript when that was said which became orders and appointments."""
    call_id = UUID(str(message.body["call"]))
    settle_order_lines(call_id)
    settle_appointments(call_id)


def post_order(message: OutboxMessage) -> None:
    """Post an order to its organization's order webhook URL. Raises NotConfigured where there is none."""
    _post(message, order_post_body(message))


def post_appointment(message: OutboxMessage) -> None:
    """Post what became of an appointment to the same URL, signed in the same way."""
    _post(message, appointment_post_body(message))


def _post(message: OutboxMessage, body: bytes) -> None:
    organization = message.organization
    if organization is None or not organization.orders_url:
        raise NotConfigured("No order webhook URL is set on the organization's page.")
    OrdersReceiver.from_settings().post(
        organization.orders_url,
        secret=signing_secret_of(organization),
        message_id=str(message.message_id),
        body=body,
    )


def order_post_body(message: OutboxMessage) -> bytes:
    """The same bytes for every attempt of a message."""
    kind = "order.replaced" if message.body.get("replaces") else "order.submitted"
    return _as_bytes({"type": kind, "messageId": str(message.message_id), "order": message.body})


def appointment_post_body(message: OutboxMessage) -> bytes:
    """The same bytes for every attempt of a message; its topic is the type."""
    return _as_bytes({"type": message.topic, "messageId": str(message.message_id), "appointment": message.body})


def _as_bytes(post: Mapping[str, object]) -> bytes:
    return json.dumps(post, ensure_ascii=False, separators=(",", ":")).encode()


def announce_voice_session(message: OutboxMessage) -> None:
    """Announce a voice session on the queue. Done means that SQS has it; sent twice, it has the same message id."""
    # In ASCII, for SQS takes not every character.
    body = json.dumps(message.body, separators=(",", ":"))
    AwsQueue(settings.VOICE_SESSION_QUEUE_URL).send(
        body, message_id=str(message.message_id), group=message.partition_key
    )
