"""The addresses to which Twilio and LiveKit send webhooks."""

from __future__ import annotations

from django.urls import path

from telephony.livekit.webhooks import livekit_webhook
from telephony.twilio.webhooks.after import after, after_dial, after_message
from telephony.twilio.webhooks.status import call_status, stream_status
from telephony.twilio.webhooks.voice import start

urlpatterns = [
    path("twiml/start", start, name="twiml-start"),
    path("twiml/after", after, name="twiml-after"),
    path("twiml/after-dial", after_dial, name="twiml-after-dial"),
    path("twiml/after-message", after_message, name="twiml-after-message"),
    path("twilio/call-status", call_status, name="call-status"),
    path("twilio/stream-status", stream_status, name="stream-status"),
    path("api/voice/webhook", livekit_webhook, name="livekit-webhook"),
]
