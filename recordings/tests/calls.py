"""Calls in rooms and what happens to their recordings."""

from __future__ import annotations

from django.utils import timezone

from agents.models import Organization
from recordings.models import Recording
from recordings.services import recording_changed
from sessions.models import Call
from sessions.models.call import CallKind, CallState, CallType
from voiceapp.providers.livekit import LiveKitClient
from voiceapp.providers.livekit_facts import EgressStatus
from voiceapp.tests.livekit.running import RunningLiveKit, soon

ROOM = "support-user123-1640995200"


def connected_call(organization: Organization | None, room: str = ROOM, **values: object) -> Call:
    """Alice's support call."""
    given: dict[str, object] = {
        "organization": organization,
        "owner": "user_alice",
        "kind": CallKind.ROOM,
        "room_name": room,
        "call_type": CallType.SUPPORT,
        "state": CallState.CONNECTED,
        "connected_at": timezone.now(),
    }
    return Call.objects.create(**(given | values))


def talk(livekit: RunningLiveKit, client: LiveKitClient, room: str = ROOM) -> None:
    livekit.join(client.join_token(room=room, identity=f"user-{room}"))


def becomes(client: LiveKitClient, egress_id: str, status: EgressStatus) -> None:
    """Wait for LiveKit, then hear of it."""

    def found() -> bool:
        fact = client.find_recording(egress_id)
        return fact is not None and fact.status is status

    soon(found)
    fact = client.find_recording(egress_id)
    assert fact
    recording_changed(fact)


def only_recording() -> Recording:
    return Recording.objects.get()
