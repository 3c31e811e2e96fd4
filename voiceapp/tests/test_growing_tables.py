"""Every table that grows with requests or visitors is purged by the schedule, or is the record of calls."""

from __future__ import annotations

import datetime as dt

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone

from agents.tasks import purge_sign_ins
from voiceapp.celery import app

# What people have entered or chosen, what they have changed, and what there is one of for each of these.
CONFIGURATION = {
    "admin.LogEntry", "auth.Group", "auth.Permission", "auth.User", "contenttypes.ContentType",
    "agents.Absence", "agents.Agent", "agents.AgentVersion", "agents.ApiKey", "agents.CallPage", "agents.Category",
    "agents.Daypart", "agents.DaypartSpan", "agents.DeliverySettings", "agents.DeliveryZone", "agents.MenuChange",
    "agents.PostcodePlace", "agents.Invitation",
    "agents.Item", "agents.KeptGreeting", "agents.Membership", "agents.Menu", "agents.Modifier", "agents.ModifierGroup",
    "agents.OpeningHours", "agents.Organization", "agents.PrivacySettings", "agents.RealtimeEndpoint",
    "agents.Resource", "agents.ResourceHours",
    "agents.RecoveryCode",
    "agents.Service", "agents.Size", "agents.SpecialDay", "agents.SpokenWord", "agents.TransferHours",
    "agents.TransferTarget", "agents.TwoFactor", "agents.UserSettings",
    "telephony.CallerRequest", "telephony.NumberCheck", "telephony.PhoneNumber",
    "telephony.Scenario", "telephony.SyncedAssistant", "voice_sessions.AlertRule", "voice_sessions.BoardSettings",
    "voice_sessions.CalendarFeed", "voice_sessions.CallerNotRemembered", "voice_sessions.ConnectedCalendar",
    "voice_sessions.OptOut", "voice_sessions.SavedView",
    "voice_sessions.TextSettings", "voice_sessions.TextTemplate", "voice_sessions.WebhookEndpoint",
}  # fmt: skip
# The record of calls, of what came of them and of who has heard them, which nothing but its own rules deletes.
RECORD = {
    "recordings.RecordingAccess", "telephony.MediaStream", "telephony.Transfer", "telephony.TransferAttempt",
    "telephony.VapiLeg", "voice_sessions.Appointment", "voice_sessions.AppointmentEvent",
    "voice_sessions.BookedResource", "voice_sessions.Call",
    "voice_sessions.CallEvent", "voice_sessions.CallListening", "voice_sessions.CalendarEntry",
    "voice_sessions.DraftAppointment", "voice_sessions.DraftOrder", "voice_sessions.OccupiedSlot",
    "voice_sessions.Order", "voice_sessions.OrderAlarm", "voice_sessions.OrderEvent", "voice_sessions.OrderLine",
    "voice_sessions.OrderModifier", "voice_sessions.Participant",
    "voice_sessions.RoomAgent", "voice_sessions.RoomToken", "voice_sessions.Text", "voice_sessions.ToolCall",
    "voice_sessions.TranscriptLine", "voice_sessions.Turn",
    "voice_sessions.CountedDay", "voice_sessions.DayFigures", "voice_sessions.DayTopics", "voice_sessions.Export",
}  # fmt: skip
PURGED = {
    "recordings.Recording": "recordings.tasks.purge_recordings",
    "agents.AuditEntry": "agents.tasks.purge_audit_log",
    "feeds.FeedTopic": "feeds.tasks.purge_topics",
    "limits.LimitCount": "limits.tasks.purge_limit_counts",
    "sessions.Session": "agents.tasks.purge_sign_ins",
    "telephony.ProviderEvent": "telephony.tasks.purge_inbox",
    "telephony.ReplayRun": "telephony.tasks.purge_scenario_runs",
    "telephony.ScenarioRun": "telephony.tasks.purge_scenario_runs",
    "telephony.Voicemail": "telephony.tasks.remove_old_voicemail",
    "voice_sessions.Alert": "sessions.tasks.purge_alerts",
    "voice_sessions.BusyTime": "sessions.tasks.read_calendars",
    "voice_sessions.CallCommand": "sessions.tasks.purge_passed_messages",
    "voice_sessions.OutboxMessage": "sessions.tasks.purge_outbox",
    "voice_sessions.PassedMessage": "sessions.tasks.purge_passed_messages",
    "voice_sessions.DayChange": "sessions.tasks.count_changed_days",
    "voice_sessions.VisitorCall": "sessions.tasks.purge_visitor_calls",
    "voice_sessions.VoiceSession": "sessions.tasks.purge_voice_sessions",
    "voice_sessions.WebhookAttempt": "sessions.tasks.purge_webhook_attempts",
}


def test_every_table_is_purged_or_kept_on_purpose() -> None:
    found = {model._meta.label for model in apps.get_models()}
    listed = CONFIGURATION | RECORD | set(PURGED)
    assert found - listed == set(), "say above what keeps it from growing without end"
    assert listed - found == set(), "there is no such table"


def test_what_is_purged_is_on_the_schedule() -> None:
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert set(PURGED.values()) <= scheduled


@pytest.mark.django_db
def test_sign_ins_that_have_expired_are_deleted() -> None:
    now = timezone.now()
    for key, expires_at in (("old", now - dt.timedelta(seconds=1)), ("live", now + dt.timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=expires_at)
    assert purge_sign_ins() == 1
    assert [session.session_key for session in Session.objects.all()] == ["live"]
