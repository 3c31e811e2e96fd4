"""Several workers at once: each event is processed by one of them, and each call has one timeline."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from agents.organizations.models import Organization
from telephony.events.models import ProviderEvent
from telephony.livekit.reconciliation import reconcile_rooms
from telephony.tasks import process_events
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .rooms import a_whole_call, check_whole_call, grow_old, open_room

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4


def test_they_share_the_events_and_process_each_once(livekit: RunningLiveKit, harbour: Organization) -> None:
    rooms = [a_whole_call(livekit, harbour) for _ in range(4)]

    def work(_: int) -> int:
        try:
            done = 0
            while ProviderEvent.objects.filter(state="waiting").exists():
                done += process_events()
            return done
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as workers:
        done = list(workers.map(work, range(WORKERS)))
    events = ProviderEvent.objects.all()
    assert sum(done) == len(events)
    assert {(each.state, each.attempts) for each in events} == {("done", 1)}
    for room in rooms:
        check_whole_call(room)


def test_reconciliation_and_an_event_at_once_connect_a_call_once(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    rooms = [open_room(livekit, harbour) for _ in range(4)]
    for room in rooms:
        room.agent_comes()
        room.caller_joins()
    livekit.webhooks()
    grow_old()

    def act(number: int) -> None:
        try:
            process_events() if number % 2 else reconcile_rooms()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(act, range(WORKERS)))
    for room in rooms:
        room.process_webhooks()
        assert room.call.state == "connected"
        assert room.timeline.count("connected") == 1
        assert room.timeline.count("participant_joined agent") == room.timeline.count("participant_joined caller") == 1
