"""The Celery application and the schedule of periodic tasks."""

from __future__ import annotations

import gc
import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

gc.disable()  # what is imported stays; voiceapp/apps.py turns collection on
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceapp.settings")

# The broker that needs no server, without the races of kombu's.
TRANSPORT_ALIASES["filesystem"] = "voiceapp.core.jobs.folder_broker:Transport"

app = Celery("voiceapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["agents", "sessions", "recordings", "telephony", "voiceapp.core.limits", "voiceapp.core.feeds"])
app.conf.beat_schedule = {
    "process-the-outbox": {"task": "sessions.tasks.sweep_outbox", "schedule": 5.0},
    "count-changed-days": {"task": "sessions.tasks.count_changed_days", "schedule": 15.0},
    "keep-days-counted": {"task": "sessions.tasks.keep_days_counted", "schedule": 3600.0},
    "evaluate-alerts": {"task": "sessions.tasks.evaluate_alerts", "schedule": 60.0},
    "purge-alerts": {"task": "sessions.tasks.purge_alerts", "schedule": 3600.0},
    "read-calendars": {"task": "sessions.tasks.read_calendars", "schedule": 15.0},
    "make-greetings": {"task": "agents.tasks.make_greetings", "schedule": 15.0},
    "send-invitations": {"task": "agents.tasks.send_invitations", "schedule": 15.0},
    "purge-rate-limit-counters": {"task": "limits.tasks.purge_limit_counts", "schedule": 600.0},
    "purge-feed-topics": {"task": "feeds.tasks.purge_topics", "schedule": 3600.0},
    "purge-expired-voice-sessions": {"task": "sessions.tasks.purge_voice_sessions", "schedule": 3600.0},
    "purge-visitor-calls": {"task": "sessions.tasks.purge_visitor_calls", "schedule": 3600.0},
    "purge-passed-messages": {"task": "sessions.tasks.purge_passed_messages", "schedule": 3600.0},
    "purge-the-outbox": {"task": "sessions.tasks.purge_outbox", "schedule": 3600.0},
    "purge-webhook-attempts": {"task": "sessions.tasks.purge_webhook_attempts", "schedule": 3600.0},
    "purge-the-inbox": {"task": "telephony.tasks.purge_inbox", "schedule": 3600.0},
    "purge-expired-sign-ins": {"task": "agents.tasks.purge_sign_ins", "schedule": 3600.0},
    "purge-the-audit-log": {"task": "agents.tasks.purge_audit_log", "schedule": 3600.0},
    "process-the-inbox": {"task": "telephony.tasks.process_events", "schedule": 5.0},
    "reconcile-rooms": {"task": "telephony.tasks.reconcile_rooms", "schedule": 5.0},
    "reconcile-recordings": {"task": "telephony.tasks.reconcile_recordings", "schedule": 30.0},
    "finish-recordings": {"task": "recordings.tasks.finish_recordings", "schedule": 15.0},
    "sweep-spool": {"task": "recordings.tasks.sweep_spool", "schedule": 600.0},
    "sweep-recordings": {"task": "recordings.tasks.sweep_recordings", "schedule": 3600.0},
    "purge-recordings": {"task": "recordings.tasks.purge_recordings", "schedule": 3600.0},
    "advance-transfers": {"task": "telephony.tasks.advance_transfers", "schedule": 5.0},
    "check-phone-numbers": {"task": "telephony.tasks.check_phone_numbers", "schedule": 600.0},
    "reconcile-vapi-calls": {"task": "telephony.tasks.reconcile_vapi_calls", "schedule": 30.0},
    "remove-old-voicemail": {"task": "telephony.tasks.remove_old_voicemail", "schedule": 3600.0},
    "run-scenarios": {"task": "telephony.tasks.run_scenarios", "schedule": 15.0},
    "run-replays": {"task": "telephony.tasks.run_replays", "schedule": 15.0},
    "purge-scenario-runs": {"task": "telephony.tasks.purge_scenario_runs", "schedule": 3600.0},
    "close-lost-calls": {"task": "telephony.tasks.reap_lost_calls", "schedule": 30.0},
}
