"""A whole call: web process, worker and a real livekit-server, over the API, with participants who really join."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils.dateparse import parse_datetime

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from agents.tests.people import ApiClient, api_client
from sessions.calls.models import Call
from sessions.rooms.models import RoomToken
from sessions.rooms.services.tokens import issue_room_token, ticket_for
from telephony.events.models import ProviderEvent
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.people import People, people
from voiceapp.tests import livekit_server
from voiceapp.tests.livekit_server import RealLiveKit
from voiceapp.tests.servers import free_port
from voiceapp.tests.web import web_process
from voiceapp.tests.worker import folder_broker, until, worker_process

from .webhook_sender import PATH

pytestmark = [pytest.mark.livekit_server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

SESSION, AGENT = "/api/voice/session", "/api/voice/agent"
# What our rooms are made with; livekit-server looks for idle rooms once a second.
DEPARTURE_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Product:
    """The running whole. `web` is a switch: the web process is started and killed by it."""

    folder: Path
    port: int
    livekit: RealLiveKit
    people: People
    environment: dict[str, str]

    @contextlib.contextmanager
    def web(self, harbour: Organization) -> Iterator[ApiClient]:
        """The client has a key of the organization."""
        key = issue_key(harbour, name="software").text
        with web_process(self.folder, self.port, self.environment) as address, api_client(address, key) as api:
            yield api

    @property
    def client(self) -> LiveKitClient:
        return LiveKitClient(url=self.livekit.url, api_key=livekit_server.API_KEY, api_secret=livekit_server.API_SECRET)


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour")


@pytest.fixture
def product(harbour: Organization, tmp_path: Path) -> Iterator[Product]:
    if reason := livekit_server.why_not_there():
        pytest.skip(reason)
    port = free_port()
    hook = f"http://127.0.0.1:{port}{PATH}"
    with livekit_server.running(tmp_path, webhook_urls=[hook]) as livekit, people(livekit.url) as who:
        environment = livekit.environment | {"CELERY_BROKER_URL": folder_broker(tmp_path)}
        with worker_process(tmp_path, environment):
            yield Product(tmp_path, port, livekit, who, environment)


def session(api: ApiClient, room: str) -> dict[str, Any]:
    session: dict[str, Any] = api.get(SESSION, roomName=room).json()["session"]
    return session


def until_status(api: ApiClient, room: str, status: str, *, within_s: float = 20) -> dict[str, Any]:
    """Waits on the database, for the API counts requests."""
    until(lambda: Call.objects.filter(room_name=room, state=status).exists(), within_s=within_s)
    return session(api, room)


def seconds_between(timestamp: str, at: float) -> float:
    parsed = parse_datetime(timestamp)
    assert parsed
    return abs((parsed - dt.datetime.fromtimestamp(at, dt.UTC)).total_seconds())


def kinds_of(room: str) -> list[str]:
    return list(ProviderEvent.objects.filter(partition_key=room).order_by("id").values_list("kind", flat=True))


def test_a_support_call_connects_with_its_agent_and_ends_when_the_room_closes(
    product: Product, harbour: Organization
) -> None:
    with product.web(harbour) as api:
        opened = api.post(SESSION, callType="support", enableAiAgent=False, enableRecording=False).json()["session"]
        room = opened["roomName"]
        caller = product.people.join(opened["token"])
        spawned = api.post(AGENT, roomName=room).json()["session"]
        assert session(api, room)["status"] == "ringing"
        joined_at = time.time()
        assert product.people.join(spawned["token"]) == spawned["agentIdentity"]
        connected = until_status(api, room, "connected")
        assert (connected["agentStatus"], connected["endedAt"]) == ("active", None)
        assert seconds_between(connected["connectedAt"], joined_at) < 2
        assert [each.identity for each in product.client.list_participants(room) if each.is_person] == [caller]

        left_at = time.time()
        product.people.leave(room, caller)
        ended = until_status(api, room, "completed", within_s=DEPARTURE_TIMEOUT_S + 20)
        assert ended["agentStatus"] == "disconnected"
        assert seconds_between(ended["endedAt"], left_at + DEPARTURE_TIMEOUT_S) < 3
        assert product.client.find_room(room) is None
    call = Call.objects.get(room_name=room)
    assert (call.end_reason, call.participants.filter(left_at=None).count()) == ("room_closed", 0)
    kinds = kinds_of(room)
    assert (kinds[0], kinds[-1], kinds.count("participant_joined")) == ("room_started", "room_finished", 2)
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"done"}


def test_a_call_between_two_people_ends_by_request_and_its_room_is_gone(
    product: Product, harbour: Organization
) -> None:
    with product.web(harbour) as api:
        wanted = {"callType": "user-to-user", "calleeId": "user_bob", "enableRecording": False}
        opened = api.post(SESSION, **wanted).json()["session"]
        room = opened["roomName"]
        product.people.join(opened["token"])
        callee = issue_room_token(
            Call.objects.get(room_name=room), subject="user_bob", role=RoomToken.Role.CALLEE, name="Bob"
        )
        product.people.join(ticket_for(callee, client=product.client).token)
        until_status(api, room, "connected")
        ended_at = time.time()
        assert api.delete(SESSION, roomName=room).json()["success"] is True
        ended = session(api, room)
        assert (ended["status"], seconds_between(ended["endedAt"], ended_at) < 1) == ("completed", True)
        until(lambda: product.client.find_room(room) is None, within_s=10)
        until(lambda: "room_finished" in kinds_of(room), within_s=10)
        # Later events change nothing.
        until(lambda: not ProviderEvent.objects.exclude(state="done").exists(), within_s=15)
        assert session(api, room)["endedAt"] == ended["endedAt"]
    assert Call.objects.get(room_name=room).end_reason == "ended_by_request"


def test_what_happened_while_the_web_process_was_away_is_known_when_it_is_back(
    product: Product, harbour: Organization
) -> None:
    """The caller leaves while no process handles LiveKit's events, and the room closes."""
    with product.web(harbour) as api:
        opened = api.post(SESSION, callType="support", enableAiAgent=False, enableRecording=False).json()["session"]
        room = opened["roomName"]
        caller = product.people.join(opened["token"])
        spawned = api.post(AGENT, roomName=room).json()["session"]
        product.people.join(spawned["token"])
        until_status(api, room, "connected")
    left_at = time.time()
    product.people.leave(room, caller)
    time.sleep(2)
    with product.web(harbour) as api:
        until(lambda: Call.objects.get(room_name=room).participants.filter(identity=caller, left_at=None).count() == 0)
        ended = until_status(api, room, "completed", within_s=DEPARTURE_TIMEOUT_S + 20)
        assert seconds_between(ended["endedAt"], left_at + DEPARTURE_TIMEOUT_S) < 3
