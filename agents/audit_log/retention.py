"""How long the audit log is kept."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone

from voiceapp.core.batches import delete_in_batches

from .models import AuditEntry


def purge_audit_log() -> int:
    """Delete what is older than AUDIT_LOG_DAYS; 0 keeps everything."""
    if not settings.AUDIT_LOG_DAYS:
        return 0
    before = timezone.now() - dt.timedelta(days=settings.AUDIT_LOG_DAYS)
    return delete_in_batches(AuditEntry.objects.filter(at__lt=before))
