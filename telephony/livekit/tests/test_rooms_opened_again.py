"""The room of a call that is over: a token that is still good opens it again, and it is closed again."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.rooms.services.calls import end_room_call
from telephony.events.models import ProviderEvent
from telephony.livekit.reconciliation import TOKENS_ARE_VALID_FOR, reconcile_rooms
from telephony.tasks import process_events
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit
from voiceapp.tests.waiting import soon

from .rooms import Room, grow_old, open_room, state_of

pytestmark = pytest.mark.django_db(transaction=True)


def end(room: Room) -> None:
    """Over, closed in LiveKit, and all its events were processed some time ago."""
    end_room_call(room.call, reason=EndReason.ENDED_BY_REQUEST)
    outbox.process_due()
    room.process_webhooks()
    assert not is_open(room.name)
    Call.objects.filter(pk=room.call.pk).update(ended_at=timezone.now() - dt.timedelta(seconds=30))


def is_open(name: str) -> bool:
    return LiveKitClient.from_settings().find_room(name) is not None


def rejoin(room: Room) -> None:
    room.caller_joins()


def agent_comes(room: Room) -> None:
    token = LiveKitClient.from_settings().agent_token(room=room.name, identity="agent-AJ_1")
    room.livekit.join(token)


def made_by_request(room: Room) -> None:
    LiveKitClient.from_settings().create_room(room.name)


@pytest.mark.parametrize("opens", [rejoin, agent_comes, made_by_request])
@pytest.mark.parametrize("call_type", ["support", "conference"])
def test_a_room_that_is_opened_again_is_closed(
    livekit: RunningLiveKit, harbour: Organization, opens: Callable[[Room], None], call_type: str
) -> None:
    room = open_room(livekit, harbour, call_type=call_type, has_agent=False)
    room.caller_joins()
    end(room)
    before = state_of(room.call), room.call.ended_at, room.call.participants.count()
    opens(room)
    assert is_open(room.name)
    room.process_webhooks()
    assert not is_open(room.name)
    assert (state_of(room.call), room.call.ended_at, room.call.participants.count()) == before
    assert room.timeline.count("reopened_room_closed") == 1


@pytest.mark.parametrize("knows_its_room", [True, False])
def test_it_is_closed_however_soon_after_the_end_it_is_opened(
    livekit: RunningLiveKit, harbour: Organization, knows_its_room: bool
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    end(room)
    Call.objects.update(ended_at=timezone.now(), **({} if knows_its_room else {"room_sid": ""}))
    time.sleep(0.01)
    room.caller_joins()
    room.process_webhooks()
    assert not is_open(room.name)


def test_each_time_it_is_opened_it_is_closed(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    room.caller_joins()
    end(room)
    for number in range(1, 4):
        room.caller_joins()
        room.process_webhooks()
        assert not is_open(room.name)
        assert room.timeline.count("reopened_room_closed") == number


@pytest.mark.parametrize("received", ["room_started", "participant_joined", "track_published"])
def test_one_event_of_it_is_enough(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, received: str
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    end(room)
    ProviderEvent.objects.all().delete()
    room.caller_joins()
    livekit.webhooks()
    ProviderEvent.objects.exclude(kind=received).delete()
    process_events()
    assert not is_open(room.name)


def test_without_webhooks_it_is_reconciled_as_long_as_a_token_is_valid(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("webhook_lost")
    room = open_room(livekit, harbour, has_agent=False)
    end(room)
    livekit.server.backend.webhooks.urls = []
    room.caller_joins()
    Call.objects.update(ended_at=timezone.now() - TOKENS_ARE_VALID_FOR - dt.timedelta(seconds=1))
    reconcile_rooms()
    assert is_open(room.name)
    Call.objects.update(ended_at=timezone.now() - TOKENS_ARE_VALID_FOR + dt.timedelta(seconds=30))
    assert reconcile_rooms() == 0
    assert not is_open(room.name)
    assert room.timeline.count("reopened_room_closed") == 1


@pytest.mark.parametrize("by", ["events", "a look"])
def test_a_room_that_a_token_opened_after_a_lost_end_is_not_the_calls(
    livekit: RunningLiveKit, harbour: Organization, by: str
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    livekit.webhooks()
    urls, livekit.server.backend.webhooks.urls = livekit.server.backend.webhooks.urls, []
    LiveKitClient.from_settings().delete_room(room.name)
    if by == "events":
        livekit.server.backend.webhooks.urls = urls
    room.caller_joins()
    room.process_webhooks()
    if by == "a look":
        grow_old()
        reconcile_rooms()
    assert state_of(room.call) == ("missed", "room_closed")
    assert not is_open(room.name)
    assert not room.call.participants.exists()


def test_while_livekit_does_not_respond_closing_is_retried(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    end(room)
    room.caller_joins()
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("away", "only=DeleteRoom")
    room.process_webhooks()
    assert is_open(room.name)
    assert ProviderEvent.objects.filter(state="waiting").exists()
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    ProviderEvent.objects.update(due_at=room.call.created_at)
    process_events()
    assert not is_open(room.name)
    # LiveKit reports the people whom closing the room disconnected, at once or a little later.
    soon(lambda: process_events() == 0 and not ProviderEvent.objects.exclude(state="done").exists())


# Rooms that are let alone


def test_a_room_of_another_application_is_left_alone(livekit: RunningLiveKit, harbour: Organization) -> None:
    end(open_room(livekit, harbour, has_agent=False))
    client = LiveKitClient.from_settings()
    livekit.join(client.join_token(room="another-applications", identity="x"))
    livekit.webhooks()
    process_events()
    reconcile_rooms()
    assert is_open("another-applications")


def test_late_events_of_an_earlier_room_do_not_close_the_room_of_the_call_that_has_its_name_now(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    first = open_room(livekit, harbour, room_name="harbour", has_agent=False)
    end(first)
    first.caller_joins()  # received, but not processed
    livekit.webhooks()
    second = open_room(livekit, harbour, room_name="harbour", has_agent=False)
    second.caller_joins()
    second.process_webhooks()
    reconcile_rooms()
    assert is_open("harbour")
    assert second.call.is_live
    assert "reopened_room_closed" not in first.timeline + second.timeline


def test_late_events_of_a_closed_room_send_livekit_no_request(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    room.caller_joins()
    LiveKitClient.from_settings().delete_room(room.name)
    livekit.webhooks()
    end_room_call(room.call, reason=EndReason.ENDED_BY_REQUEST)
    settings.LIVEKIT_INTERNAL_URL = settings.LIVEKIT_HOST = "http://127.0.0.1:1"
    process_events()
    assert not ProviderEvent.objects.exclude(state="done").exists()


def test_where_rooms_are_made_by_request_alone_no_token_opens_one(
    project: Settings, harbour: Organization, transactional_db: None
) -> None:
    with running_livekit(auto_create=False) as livekit:
        name_livekit(project, livekit.url)
        room = open_room(livekit, harbour, has_agent=False)
        room.caller_joins()
        end_room_call(room.call, reason=EndReason.ENDED_BY_REQUEST)
        outbox.process_due()
        with pytest.raises(httpx.HTTPStatusError) as refused:
            room.caller_joins()
        assert refused.value.response.status_code == 404
        assert not is_open(room.name)
