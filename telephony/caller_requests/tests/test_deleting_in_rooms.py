"""LiveKit's events of a caller's room go with the caller: those that wait for a worker, and those that come later."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.rooms.models import Participant
from sessions.tests.builders import ROOM, make_room_call
from telephony.caller_requests.deleting import start_deletion
from telephony.caller_requests.models import CallerRequest
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent

from .conftest import NAME, NUMBER
from .test_deleting import dump, signs_in, work

pytestmark = pytest.mark.django_db(transaction=True)


def joined(key: str, *, sid: str, name: str = NAME, number: str = NUMBER) -> None:
    """LiveKit's event, which waits for a worker."""
    now_s = str(int(timezone.now().timestamp()))
    fields = {
        "event": "participant_left", "id": key, "createdAt": now_s,
        "room": {"sid": sid, "name": ROOM, "creationTime": now_s},
        "participant": {"sid": f"PA_{key}", "identity": f"sip_{number}", "name": name, "joinedAt": now_s},
    }  # fmt: skip
    inbox.store("livekit", dedup_key=key, kind="participant_left", partition_key=ROOM, fields=fields)


def test_waiting_and_late_events_of_a_deleted_caller_name_nobody(
    harbour: Organization, on_disk: Path, settings: Settings, no_worker: None
) -> None:
    settings.TWILIO_ACCOUNT_SID = settings.VAPI_API_KEY = ""
    over = {"state": "completed", "ended_at": timezone.now()}
    call = make_room_call(harbour, room_sid="RM_1", **over)
    Participant.objects.create(call=call, sid="PA_0", identity=f"sip_{NUMBER}")
    namesake = make_room_call(harbour, room_sid="RM_2", **over)
    joined("EV_1", sid="RM_1")
    joined("EV_2", sid="RM_2", name="Somebody", number="+4917655509876")
    request = CallerRequest.objects.create(organization=harbour, number=NUMBER)
    start_deletion(request, by="alice")
    work()
    request.refresh_from_db()
    assert request.state == CallerRequest.State.DELETED, request.waits_for
    assert list(Call.objects.all()) == [namesake]
    assert list(ProviderEvent.objects.values_list("dedup_key", flat=True)) == ["EV_2"], "the other call's stays"
    assert signs_in(dump()) == set()
    joined("EV_3", sid="RM_1")
    inbox.process_due(["livekit"])
    assert {each.dedup_key: each.state for each in ProviderEvent.objects.all()} == {"EV_2": "done", "EV_3": "done"}
    assert ProviderEvent.objects.get(dedup_key="EV_2").call == namesake
    assert signs_in(dump()) == set()
