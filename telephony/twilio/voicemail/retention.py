"""Removes voicemail of a certain age: the audio here and at Twilio, the transcript, and what was recorded of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from time import monotonic

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agents.organizations.models import Organization
from recordings.files import delete_file
from sessions.analytics.changes import note_day_change
from sessions.messages.models import OutboxMessage
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.recordings import TwilioRecordings

from .models import Voicemail
from .services import key_of_jobs

logger = structlog.get_logger("voicemail")

# In one run, which ends long before a task is killed; the next one follows within the hour.
MOST_AT_ONCE = 500
LONGEST_RUN_S = 30.0


def remove_old_voicemail() -> int:
    """How many messages were removed. One that cannot be removed is tried again in the next run."""
    stop_at = monotonic() + LONGEST_RUN_S
    return sum(_remove(voicemail) for voicemail in _expired() if monotonic() < stop_at)


def _expired() -> Iterator[Voicemail]:
    now, left = timezone.now(), MOST_AT_ONCE
    kept_by_days = Organization.objects.filter(voicemail_days__gt=0).exclude(privacy_settings__is_on_hold=True)
    for organization in kept_by_days.only("voicemail_days"):
        kept_since = now - dt.timedelta(days=organization.voicemail_days or 0)
        old = Voicemail.objects.filter(call__organization=organization, created_at__lt=kept_since)
        for voicemail in old.select_related("recording", "call").order_by("created_at")[:left]:
            left -= 1
            yield voicemail


def _remove(voicemail: Voicemail) -> bool:
    """The files before the rows that name them, so that a run that dies leaves nothing unnamed."""
    try:
        release_connections()
        if voicemail.is_at_carrier and settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN:
            TwilioRecordings.from_settings().delete(voicemail.recording_sid)
        if voicemail.recording is not None:
            delete_file(voicemail.recording)
    except ProviderError as fault:
        logger.warning("voicemail not removed", voicemail_id=str(voicemail.pk), error=str(fault))
        return False
    with transaction.atomic():
        key = key_of_jobs(voicemail)
        OutboxMessage.objects.filter(Q(about=key) | Q(topic__startswith="voicemail.", partition_key=key)).delete()
        note_day_change(voicemail.call.organization_id, call_id=voicemail.call_id)
        voicemail.delete()
        if voicemail.recording is not None:
            voicemail.recording.delete()
    return True
