"""400 with the title that names what was wrong, where the voice API's documentation has one."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from agents.organizations.principal import Principal
from sessions.calls.models import LIVE_STATES, Call, CallType
from voiceapp.core.api.errors import FIELDS_REFUSED, ApiError, FormError, wait_of
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind


def checked(serializer: serializers.Serializer[Any], *, titles: Mapping[str, str]) -> dict[str, Any]:
    """The values; 400 for what cannot be taken. `titles` by field: a title of its own for the first that is wrong."""
    if serializer.is_valid():
        return dict(serializer.validated_data)
    wrong = serializer.errors
    title = next((titles[name] for name in titles if name in wrong), "Bad Request")
    raise FormError(title, FIELDS_REFUSED, details={"fields": wrong})


ROOM_NAME = r"^[A-Za-z0-9._-]{1,100}$"
# No list is longer; those without pages show the newest.
MOST_LISTED = 100
# Ended calls may have had the same name; the newest of them are looked at.
MOST_NAMESAKES = 20
NO_TITLES: Mapping[str, str] = MappingProxyType({})
NO_OTHER_TITLES: Mapping[int, str] = MappingProxyType({})
AWAY_KINDS = {
    LiveKitErrorKind.UNAVAILABLE: "LiveKit cannot be reached right now. Try again soon.",
    LiveKitErrorKind.TIMEOUT: "LiveKit did not respond in time. Try again soon.",
    LiveKitErrorKind.CREDENTIALS_REFUSED: "LiveKit refuses our credentials. Whoever runs this server must mend that.",
}


class Access(enum.Enum):
    """What is wanted of a call. Members of an organization may read and join its conferences."""

    READ = enum.auto()
    JOIN = enum.auto()
    WRITE = enum.auto()


class RoomNameField(serializers.RegexField):
    """A room's name, ours or one that was given."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ROOM_NAME, **options)
        self.error_messages["invalid"] = "Letters, digits, dot, underscore and hyphen, 1 to 100 of them."

    def to_internal_value(self, data: Any) -> str:
        # Django REST framework would take the space off that a name may not have.
        if not isinstance(data, str) or data != data.strip():
            self.fail("invalid")
        return super().to_internal_value(data)


class RoomQuery(StrictSerializer):
    roomName = RoomNameField()


def find_room_call(
    principal: Principal, room_name: str, *, access: Access, titles: Mapping[int, str] = NO_OTHER_TITLES
) -> Call:
    """The room's call, a live one before those that are over. 404 for what is a stranger's, 403 for a colleague's.

    `titles` by status: where the endpoint's documentation has another one.
    """
    named = Call.objects.in_rooms().reachable_by(principal).filter(room_name=room_name)
    found = sorted(named.order_by("-created_at")[:MOST_NAMESAKES], key=lambda call: call.state not in LIVE_STATES)
    if not found:
        title = titles.get(404, "Session not found")
        raise ApiError(404, title, "There is no call in a room of this name.")
    for call in found:
        if may(principal, call, access):
            return call
    title = titles.get(403, "Access denied to this session")
    raise ApiError(403, title, "This call belongs to somebody else in your organization.")


def may(principal: Principal, call: Call, access: Access) -> bool:
    """Of a call that is reachable: its owner, its callee and its organization's managers may do everything."""
    if principal.manages(call.organization_id) or principal.subject in (call.owner, call.callee):
        return True
    return call.call_type == CallType.CONFERENCE and access is not Access.WRITE


def livekit_refusal(error: LiveKitError, *, title: str) -> ApiError:
    """LiveKit's failures by the spec's numbers; `title` is what could not be done."""
    if error.kind is LiveKitErrorKind.NOT_CONFIGURED:
        return ApiError(
            503, "Voice service not configured", "LIVEKIT_HOST, LIVEKIT_API_KEY or LIVEKIT_API_SECRET is missing."
        )
    if error.kind in AWAY_KINDS:
        return ApiError(503, "Voice service unavailable", AWAY_KINDS[error.kind], wait_s=wait_of(error))
    if error.kind is LiveKitErrorKind.BAD_INPUT:
        return FormError("Bad Request", "LiveKit cannot take a value of this request.")
    return ApiError(500, title, "LiveKit refused. The reason is in the server's log.")


def read_query(
    serializer: type[serializers.Serializer[Any]], request: Request, *, titles: Mapping[str, str] = NO_TITLES
) -> dict[str, Any]:
    """The query's parameters, `checked`; 400 for one that is not known or stands there twice."""
    repeated = [name for name, values in request.query_params.lists() if len(values) > 1]
    if repeated:
        raise serializers.ValidationError({name[:80]: ["Give it once."] for name in repeated[:20]})
    return checked(serializer(data=request.query_params.dict()), titles=titles)
