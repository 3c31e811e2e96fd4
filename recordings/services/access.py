"""The audit log of recordings: every address, and all audio, that a person or a key was given."""

from __future__ import annotations

import datetime as dt

import structlog
from django.contrib.auth.models import User
from django.utils import timezone

from agents.organizations.principal import Kind, Principal
from recordings.models import Recording, RecordingAccess
from recordings.storage import file_link, is_fetchable
from sessions.calls.models import Call

logger = structlog.get_logger("recordings")

Way = RecordingAccess.Way
ONE_LISTENING = dt.timedelta(minutes=5)


def note_access(recording: Recording, *, by: str, way: Way) -> None:
    """`by`: a username, a key's prefix, or a subject of Clerk's. Write it before the address is sent."""
    RecordingAccess.objects.create(
        organization_id=recording.call.organization_id,
        recording=recording,
        recording_number=recording.pk,
        principal=by[:150],
        way=way,
    )
    logger.info("recording given", recording=recording.pk, by=by, way=way.value)


def note_listening(recording: Recording, *, by: str) -> None:
    """The same for a browser that fetches the audio in parts: one row for what it fetches within ONE_LISTENING."""
    recent = RecordingAccess.objects.filter(
        recording=recording, principal=by[:150], way=Way.PLAYER, at__gt=timezone.now() - ONE_LISTENING
    )
    if not recent.exists():
        note_access(recording, by=by, way=Way.PLAYER)


def link_for(call: Call, principal: Principal) -> str | None:
    """A link to the newest recording of the call that can be fetched now. Check the permission to read it first."""
    recording = next(filter(is_fetchable, call.recordings.select_related("call").defer("peaks")), None)
    link = file_link(recording) if recording else None
    if recording is not None and link:
        note_access(recording, by=listener_name(principal), way=Way.API)
    return link


def listener_name(principal: Principal) -> str:
    """As the organization knows it: a user by name, a key by its prefix, Clerk's people by their subject."""
    if principal.kind is not Kind.SESSION:
        return principal.subject
    user = User.objects.filter(pk=principal.subject).first()
    return user.get_username() if user else principal.subject
