"""The handlers of the outbox: one function per topic."""

from __future__ import annotations

import json
from uuid import UUID

from django.conf import settings

from sessions.alerts.services.mailing import mail_alert
from sessions.alerts.services.notifying import MAIL_TOPIC, text_is_true
from sessions.analytics import services as analytics
from sessions.appointments.announcements import TEXT_KINDS
from sessions.appointments.calendars.services import outgoing as calendar_updates
from sessions.appointments.services.said_times import settle_appointments
from sessions.appointments.texts import still_stands
from sessions.calls.commands import leave_note
from sessions.calls.services import SAID_TOPIC
from sessions.messages.endpoints.services.announcing import TOPIC as WEBHOOK_TOPIC
from sessions.messages.endpoints.services.delivering import deliver_webhook
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text
from sessions.messages.texts.reasons import explanation_of
from sessions.messages.texts.services.queueing import TOPIC as TEXT_TOPIC
from sessions.messages.texts.services.sending import send_text, still_true
from sessions.messages.texts.services.statuses import when_changed, when_failed
from sessions.orders.board import alarms
from sessions.orders.board.announcing import announce_orders
from sessions.orders.services import customer_texts
from sessions.orders.services.confirmations import order_stands
from sessions.orders.services.said_times import settle_order_lines
from sessions.realtime.services import hang_ups, voice_sessions
from sessions.rooms.services import closing as room_closing
from sessions.rooms.services import room_state, watchdog
from sessions.rooms.services.agents import WITHDRAW_TOPIC
from sessions.rooms.services.dispatches import withdraw_agent
from voiceapp.core.jobs.shared_receiver import SharedReceiver
from voiceapp.providers.aws.sqs import AwsQueue


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(WEBHOOK_TOPIC, deliver_webhook)
    outbox.register(TEXT_TOPIC, send_text)
    when_failed[:] = [tell_caller]
    when_changed[:] = [show_on_board]
    for kind in (*TEXT_KINDS.values(), TextKind.APPOINTMENT_REMINDER):
        still_true[kind] = still_stands
    still_true[TextKind.ORDER_CONFIRMATION] = order_stands
    still_true.update(dict.fromkeys(customer_texts.STATES_OF, customer_texts.is_still_so))
    still_true[TextKind.ORDER_ALARM] = alarms.still_waits
    still_true[TextKind.ALERT] = text_is_true
    outbox.register(MAIL_TOPIC, mail_alert)
    outbox.register(alarms.TOPIC, alarms.raise_alarm)
    outbox.register(alarms.OUTCOME_TOPIC, alarms.note_outcome)
    outbox.register(calendar_updates.TOPIC, calendar_updates.update_calendar)
    outbox.register(WITHDRAW_TOPIC, withdraw_agent)
    outbox.register(watchdog.DISPATCH_TOPIC, watchdog.bring_agent)
    outbox.register(SAID_TOPIC, settle_what_was_said)
    analytics.register()
    outbox.register(room_state.TOPIC, room_state.show_room_state)
    outbox.register(room_closing.TOPIC, room_closing.close_room)
    outbox.register(hang_ups.TOPIC, hang_ups.hang_up_now)
    queue = SharedReceiver(is_configured=lambda: bool(settings.VOICE_SESSION_QUEUE_URL))
    outbox.register(voice_sessions.TOPIC, announce_voice_session, receiver=queue)


def tell_caller(text: Text) -> None:
    """A text was not delivered: the agent tells the caller, if the call is still live."""
    if text.call_id is not None:
        leave_note(text.call_id, explanation_of(text.reason).say)


def show_on_board(text: Text) -> None:
    """The cards of the order board say what became of a text about their order."""
    if text.kind in (TextKind.ORDER_ALARM, *customer_texts.STATES_OF):
        announce_orders(text.organization_id)


def settle_what_was_said(message: OutboxMessage) -> None:
    """Find in the transcript when that was said which became orders and appointments."""
    call_id = UUID(str(message.body["call"]))
    settle_order_lines(call_id)
    settle_appointments(call_id)


def announce_voice_session(message: OutboxMessage) -> None:
    """Announce a voice session on the queue. Done means that SQS has it; sent twice, it has the same message id."""
    # In ASCII, for SQS takes not every character.
    body = json.dumps(message.body, separators=(",", ":"))
    AwsQueue(settings.VOICE_SESSION_QUEUE_URL).send(
        body, message_id=str(message.message_id), group=message.partition_key
    )
