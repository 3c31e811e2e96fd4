"""Which recordings a principal may see."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from agents.organizations.principal import Principal
from recordings.models import Recording
from sessions.calls.models import Call, CallKind, CallQuerySet
from sessions.rooms.api.room_view import Access, may

from .api_errors import LIST_DENIED
from .errors import NotRecorded


def newest_recording(call: Call) -> Recording:
    """Raises NotRecorded."""
    recording = call.recordings.select_related("call").first()
    if recording is None:
        raise NotRecorded
    return recording


def calls_named(principal: Principal, name: str) -> CallQuerySet:
    """The calls of a room. A call without a room, such as one by phone, has the name of its id."""
    calls = Call.objects.reachable_by(principal)
    in_room = calls.filter(kind=CallKind.ROOM, room_name=name)
    try:
        return in_room | calls.exclude(kind=CallKind.ROOM).filter(pk=UUID(name))
    except ValueError:
        return in_room


def find_recording(principal: Principal, room_name: str, egress_id: str) -> Recording | None:
    """Of any call that this room had and that may be read: a later call may have taken its name."""
    calls = calls_named(principal, room_name)
    recording = Recording.objects.select_related("call").filter(external_id=egress_id, call__in=calls).first()
    return recording if recording and may(principal, recording.call, Access.READ) else None


def running_recordings(principal: Principal) -> QuerySet[Recording]:
    """Of the organizations that it manages; its own, for one without an organization. 403 for plain members."""
    running = Recording.objects.filter(
        state__in=(Recording.State.STARTING, Recording.State.RECORDING), external_id__isnull=False
    )
    running = running.select_related("call")
    if principal.sees_all:
        return running
    if principal.is_own_tenant:
        return running.filter(call__in=Call.objects.visible_to(principal))
    managed = [each for each in principal.organization_ids if principal.manages(each)]
    if not managed:
        raise LIST_DENIED.error()
    return running.filter(call__organization_id__in=managed)
