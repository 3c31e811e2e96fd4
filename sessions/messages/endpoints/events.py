"""The events that an organization's endpoints can receive: the `type` of each webhook (docs/reference/webhooks.md)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class WebhookEvent(models.TextChoices):
    """Each with the sentence that its checkbox shows."""

    ORDER_SUBMITTED = "order.submitted", _("An order was submitted")
    ORDER_REPLACED = "order.replaced", _("A caller changed an order that was submitted: the new one replaces it")
    ORDER_STATE_CHANGED = "order.state_changed", _("An order was accepted, is ready or done, or was canceled")
    APPOINTMENT_BOOKED = "appointment.booked", _("An appointment was booked")
    APPOINTMENT_MOVED = "appointment.moved", _("An appointment was moved")
    APPOINTMENT_CANCELED = "appointment.canceled", _("An appointment was canceled")
    CALL_ENDED = "call.ended", _("A call ended")
    VOICEMAIL_RECEIVED = "voicemail.received", _("A caller left a message")
    RECORDING_FINISHED = "recording.finished", _("The recording of a call is stored, or could not be")
    TEXT_RECEIVED = "text.received", _("A customer sent a text")
    TEXT_DELIVERED = "text.delivered", _("A text was delivered to a customer")
    TEXT_FAILED = "text.failed", _("A text was not delivered, or not sent")
    ALERT_RAISED = "alert.raised", _("An alert was raised")
    ALERT_RESOLVED = "alert.resolved", _("What an alert was about is over")
    # Sent on request only, to whichever endpoint.
    TEST = "webhook.test", _("Test")


CHOOSABLE = tuple(event for event in WebhookEvent if event is not WebhookEvent.TEST)
