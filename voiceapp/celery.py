"""The Celery application, and everything periodic in one schedule."""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceapp.settings")

# The broker that needs no server, without the races of kombu's own.
TRANSPORT_ALIASES["filesystem"] = "voiceapp.core.jobs.folder_broker:Transport"

app = Celery("voiceapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["sessions", "telephony", "voiceapp.core.limits"])
app.conf.beat_schedule = {
    "process-the-outbox": {"task": "sessions.tasks.sweep_outbox", "schedule": 5.0},
    "purge-counters-of-limits": {"task": "limits.tasks.purge_limit_counts", "schedule": 600.0},
    "purge-expired-voice-sessions": {"task": "sessions.tasks.purge_voice_sessions", "schedule": 3600.0},
    "process-the-inbox": {"task": "telephony.tasks.process_events", "schedule": 5.0},
    "ask-livekit-about-rooms": {"task": "telephony.tasks.reconcile_rooms", "schedule": 5.0},
    "ask-livekit-about-recordings": {"task": "telephony.tasks.reconcile_recordings", "schedule": 30.0},
    "close-calls-that-are-over": {"task": "telephony.tasks.reap_lost_calls", "schedule": 30.0},
}
