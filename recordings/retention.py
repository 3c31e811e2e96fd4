"""Deletes recordings of a certain age: the audio here and at its source, then the row. Transcripts stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from time import monotonic
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from agents.organizations.models import Organization
from agents.privacy.models import DEFAULT_DAYS, PrivacySettings
from recordings.models import Recording
from recordings.services.declining import DECLINED
from recordings.services.deleting import delete_recording
from sessions.calls.services import forget_words
from voiceapp.providers.errors import ProviderError

logger = structlog.get_logger("recordings")

# In one run, which ends long before a task is killed; the next one follows within the hour.
MOST_AT_ONCE = 500
LONGEST_RUN_S = 30.0
BY_AGE = "by age"


def expired_recordings(*, now: dt.datetime, organization: Organization | None = None) -> QuerySet[Recording]:
    """Those that are older than their organizations keep them, the oldest first. Never those under a legal hold.

    Voicemail has its own days. What no organization owns is kept as long as by default.
    """
    over = Recording.objects.exclude(state__in=Recording.IN_PROGRESS).filter(voicemail=None)
    if organization is not None:
        over = over.filter(call__organization=organization)
    own = PrivacySettings.objects.all()
    found = over.exclude(call__organization__in=own.values("organization")).filter(
        created_at__lt=now - dt.timedelta(days=DEFAULT_DAYS)
    )
    for days, ids in _by_days(own.filter(is_on_hold=False, recording_days__gt=0)):
        found |= over.filter(call__organization__in=ids, created_at__lt=now - dt.timedelta(days=days))
    # What a hold has kept although the caller declined it. The others are canceled, and deleted at once.
    declined = over.filter(call__recording_declined_at__isnull=False).exclude(state=Recording.State.CANCELED)
    found |= declined.exclude(call__organization__in=own.filter(is_on_hold=True).values("organization"))
    return found.select_related("call").order_by("created_at", "pk")


def _by_days(settings: QuerySet[PrivacySettings]) -> Iterator[tuple[int, list[UUID]]]:
    ids: dict[int, list[UUID]] = {}
    for days, organization_id in settings.values_list("recording_days", "organization"):
        ids.setdefault(days, []).append(organization_id)
    yield from ids.items()


def why_deleted(recording: Recording) -> str:
    """For the call's timeline."""
    return BY_AGE if recording.call.recording_declined_at is None else DECLINED


def purge_recordings() -> int:
    """How many were deleted. One that cannot be deleted is tried again in the next run."""
    stop_at = monotonic() + LONGEST_RUN_S
    expired = expired_recordings(now=timezone.now()).defer("peaks")[:MOST_AT_ONCE]
    return sum(_purge(recording) for recording in expired if monotonic() < stop_at)


def _purge(recording: Recording) -> bool:
    try:
        delete_recording(recording, why=why_deleted(recording))
        forget_words(recording.call)  # a hold has kept those of a caller who had declined
    except ProviderError as fault:
        logger.warning("recording not deleted", recording=recording.pk, error=str(fault))
        return False
    return True
