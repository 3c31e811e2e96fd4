"""The addresses at which Twilio knocks."""

from __future__ import annotations

from django.urls import path

from telephony.webhooks import after, voice

urlpatterns = [
    path("twiml/start", voice.start, name="twiml-start"),
    path("twiml/after", after.after, name="twiml-after"),
]
