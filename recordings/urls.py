"""The address of recordings."""

from __future__ import annotations

from django.urls import path

from recordings.api import RecordingView

urlpatterns = [path("api/voice/recording", RecordingView.as_view(), name="recording")]
