"""What an organization's endpoints receive of a recording that is finished (docs/reference/webhooks.md)."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from recordings.models import Recording
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event, utc_ms


def announce_recording(recording: Recording, about: str) -> None:
    """In the transaction that finishes it. The row is read again: it has just been updated."""
    announce_event(
        WebhookEvent.RECORDING_FINISHED,
        organization_id=recording.call.organization_id,
        about=about,
        data=lambda: data_of(Recording.objects.select_related("call").defer("peaks").get(pk=recording.pk)),
    )


def data_of(recording: Recording) -> dict[str, object]:
    """Without the audio, and without a link to it: who may hear it signs in, or has an API key."""
    page = reverse("admin:recordings_recording_change", args=(recording.pk,))
    duration_ms, ended_at = recording.duration_ms, recording.ended_at
    return {
        "id": recording.pk,
        "orgId": str(recording.call.organization_id),
        "callId": str(recording.call_id),
        "source": recording.source,
        "state": recording.state,
        "error": recording.error,
        "fileType": recording.file_type,
        "sizeBytes": recording.size_bytes,
        "durationSeconds": None if duration_ms is None else round(duration_ms / 1000),
        "endedAt": None if ended_at is None else utc_ms(ended_at),
        "pageUrl": f"{settings.PUBLIC_BASE_URL}{page}",
    }
