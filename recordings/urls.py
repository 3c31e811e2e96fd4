"""The address of recordings."""

from __future__ import annotations

from django.urls import path

from recordings.api import RecordingView
from recordings.player import recording_audio

urlpatterns = [
    path("api/voice/recording", RecordingView.as_view(), name="recording"),
    path("recordings/<int:recording_id>/audio", recording_audio, name="recording-audio"),
]
