"""The addresses to which Twilio, LiveKit and VAPI send webhooks."""

from __future__ import annotations

from django.urls import path

from telephony.livekit.webhooks import livekit_webhook
from telephony.twilio.transfers.hold_sound import hold_sound
from telephony.twilio.webhooks.after import after, after_dial, after_message
from telephony.twilio.webhooks.messages import message, message_status
from telephony.twilio.webhooks.recording import recording_status
from telephony.twilio.webhooks.status import call_status, stream_status
from telephony.twilio.webhooks.transfer import (
    conference_status,
    transfer_answered,
    transfer_caller,
    transfer_caller_over,
    transfer_person_over,
    transfer_pressed,
    transfer_status,
)
from telephony.twilio.webhooks.voice import start
from telephony.vapi.webhooks import vapi_webhook

urlpatterns = [
    path("twiml/start", start, name="twiml-start"),
    path("twiml/after", after, name="twiml-after"),
    path("twiml/after-dial", after_dial, name="twiml-after-dial"),
    path("twiml/after-message", after_message, name="twiml-after-message"),
    path("twilio/call-status", call_status, name="call-status"),
    path("twilio/stream-status", stream_status, name="stream-status"),
    path("twiml/transfer/caller", transfer_caller, name="transfer-caller"),
    path("twiml/transfer/caller-over", transfer_caller_over, name="transfer-caller-over"),
    path("twiml/transfer/answered", transfer_answered, name="transfer-answered"),
    path("twiml/transfer/pressed", transfer_pressed, name="transfer-pressed"),
    path("twiml/transfer/person-over", transfer_person_over, name="transfer-person-over"),
    path("twilio/transfer-status", transfer_status, name="transfer-status"),
    path("twilio/conference-status", conference_status, name="conference-status"),
    path("sounds/hold.wav", hold_sound, name="hold-sound"),
    path("twilio/recording-status", recording_status, name="recording-status"),
    path("vapi/webhook", vapi_webhook, name="vapi-webhook"),
    path("twilio/message", message, name="message"),
    path("twilio/message-status", message_status, name="message-status"),
    path("api/voice/webhook", livekit_webhook, name="livekit-webhook"),
]
