"""The events that an organization's endpoints can receive: the `type` of each webhook (docs/reference/webhooks.md)."""

from __future__ import annotations

from django.db import models


class WebhookEvent(models.TextChoices):
    """Each with the sentence that its checkbox shows."""

    ORDER_SUBMITTED = "order.submitted", "An order was submitted"
    ORDER_REPLACED = "order.replaced", "A caller changed an order that was submitted: the new one replaces it"
    ORDER_STATE_CHANGED = "order.state_changed", "An order was accepted, is ready or done, or was canceled"
    APPOINTMENT_BOOKED = "appointment.booked", "An appointment was booked"
    APPOINTMENT_MOVED = "appointment.moved", "An appointment was moved"
    APPOINTMENT_CANCELED = "appointment.canceled", "An appointment was canceled"
    CALL_ENDED = "call.ended", "A call ended"
    VOICEMAIL_RECEIVED = "voicemail.received", "A caller left a message"
    RECORDING_FINISHED = "recording.finished", "The recording of a call is stored, or could not be"
    TEXT_RECEIVED = "text.received", "A customer sent a text"
    TEXT_DELIVERED = "text.delivered", "A text was delivered to a customer"
    TEXT_FAILED = "text.failed", "A text was not delivered, or not sent"
    ALERT_RAISED = "alert.raised", "An alert was raised"
    ALERT_RESOLVED = "alert.resolved", "What an alert was about is over"
    # Sent on request only, to whichever endpoint.
    TEST = "webhook.test", "Test"


CHOOSABLE = tuple(event for event in WebhookEvent if event is not WebhookEvent.TEST)
