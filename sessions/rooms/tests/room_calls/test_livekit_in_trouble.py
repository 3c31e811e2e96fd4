"""LiveKit away, slow, refusing, losing its answer; ends in between; many at once. Nothing is left half-done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, refused
from sessions.calls.models import Call, CallEvent
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.closing import TOPIC
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit import client as provider
from voiceapp.providers.livekit.client import RESPONSE_TIMEOUT_S, LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.database import other_connections
from voiceapp.tests.gate import closed_address
from voiceapp.tests.waiting import soon

from .api_requests import SESSION, TOKEN

pytestmark = pytest.mark.waits

AWAY, FAILED = (503, "Voice service unavailable"), (500, "Failed to create session")
FAULTS = [
    ("away", AWAY),
    ("slow", AWAY),
    ("credentials", AWAY),
    ("reset", AWAY),
    ("garbage", AWAY),
    ("lost_answer", AWAY),
    ("code=unavailable", AWAY),
    ("code=internal", FAILED),
    ("code=permission_denied", AWAY),
    ("code=invalid_argument", (400, "Bad Request")),
]
TAKEN = (409, "Active session already exists for this room")

Spoil = Callable[..., None]


@pytest.fixture
def spoil(livekit: RunningLiveKit, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Requests to LiveKit go to an address with these faults; without any, to its own.

    A response is missed after half a second only where none comes: on a busy machine others take as long.
    """

    def choose(*faults: str) -> None:
        settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(*faults) if faults else livekit.url
        monkeypatch.setattr(provider, "RESPONSE_TIMEOUT_S", 0.5 if "slow" in faults else RESPONSE_TIMEOUT_S)

    return choose


def deliver() -> None:
    """The outbox, later."""
    OutboxMessage.objects.update(due_at=timezone.now())
    outbox.process_due([TOPIC])


def test_a_wait_that_livekit_names_is_handed_on(alice: ApiClient, spoil: Spoil) -> None:
    spoil("busy=40")
    got = alice.post(SESSION, roomName=ROOM)
    assert refused(got) == AWAY
    assert got.headers["Retry-After"] == "40"


@pytest.mark.parametrize(("fault", "answer"), FAULTS)
def test_a_room_that_is_not_opened_leaves_no_live_call_and_no_room(
    alice: ApiClient, client: LiveKitClient, spoil: Spoil, fault: str, answer: tuple[int, str]
) -> None:
    spoil(fault, "only=CreateRoom")
    got = alice.post(SESSION, roomName=ROOM)
    assert refused(got) == answer
    assert ("Retry-After" in got.headers) is (answer[0] == 503)
    call = Call.objects.get()
    assert (call.state, call.end_reason) == ("failed", "agent_not_dispatched")
    assert CallEvent.objects.filter(call=call, kind="room_not_opened").count() == 1
    assert RoomAgent.objects.get().status == "disconnected"
    assert alice.get(SESSION, roomName=ROOM).json()["session"]["status"] == "failed"
    spoil()
    deliver()
    assert client.find_room(ROOM) is None
    assert not OutboxMessage.objects.exclude(state="done").exists()
    assert alice.post(SESSION, roomName=ROOM).status_code == 200
    assert len(client.list_dispatches(ROOM)) == 1


def test_what_livekit_does_after_all_is_undone(alice: ApiClient, client: LiveKitClient, spoil: Spoil) -> None:
    spoil("lost_answer", "only=CreateRoom")
    assert refused(alice.post(SESSION)) == AWAY
    room = str(Call.objects.get().room_name)
    spoil()
    assert client.find_room(room)
    assert outbox.process_due([TOPIC]) == 0  # not yet: a slow LiveKit may not have opened it
    deliver()
    assert client.find_room(room) is None


def test_a_call_without_an_agent_says_that_its_room_failed(alice: ApiClient, spoil: Spoil) -> None:
    spoil("away", "only=CreateRoom")
    assert refused(alice.post(SESSION, enableAiAgent=False)) == AWAY
    assert Call.objects.get().end_reason == "room_not_opened"


@pytest.mark.parametrize("path", [SESSION, TOKEN])
def test_livekit_that_is_not_there_is_503(alice: ApiClient, settings: Settings, path: str) -> None:
    settings.LIVEKIT_INTERNAL_URL = closed_address()
    assert refused(alice.post(path)) == AWAY
    assert refused(alice.post(path, roomName=ROOM)) == AWAY
    assert not Call.objects.live().exists()


def test_to_a_live_call_tokens_are_given_while_livekit_is_away(
    alice: ApiClient, harbour: Organization, settings: Settings
) -> None:
    make_room_call(harbour)
    settings.LIVEKIT_INTERNAL_URL = closed_address()
    assert alice.post(TOKEN, roomName=ROOM).status_code == 200


def test_a_call_ends_while_livekit_is_away_and_its_room_closes_later(
    alice: ApiClient, client: LiveKitClient, livekit: RunningLiveKit, settings: Settings
) -> None:
    session = alice.post(SESSION).json()["session"]
    livekit.join(session["token"])
    settings.LIVEKIT_INTERNAL_URL = closed_address()
    assert alice.delete(SESSION, roomName=session["roomName"]).status_code == 200
    assert not Call.objects.live().exists()
    deliver()
    assert OutboxMessage.objects.get().state == "waiting"
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert client.find_room(session["roomName"])
    deliver()
    assert client.find_room(session["roomName"]) is None
    assert OutboxMessage.objects.get().state == "done"


def test_a_room_that_closed_by_itself_is_as_good(alice: ApiClient, client: LiveKitClient) -> None:
    room = alice.post(SESSION).json()["session"]["roomName"]
    client.delete_room(room)
    alice.delete(SESSION, roomName=room)
    deliver()
    assert OutboxMessage.objects.get().state == "done"


def test_a_later_call_keeps_its_room_of_the_same_name(
    alice: ApiClient, client: LiveKitClient, settings: Settings
) -> None:
    alice.post(SESSION, roomName=ROOM)
    alice.delete(SESSION, roomName=ROOM)
    old = client.find_room(ROOM)
    assert alice.post(SESSION, roomName=ROOM).status_code == 200
    new = client.find_room(ROOM)
    assert old
    assert new
    assert (old.sid != new.sid, len(client.list_dispatches(ROOM))) == (True, 1)
    deliver()
    assert client.find_room(ROOM) == new


def test_a_room_of_somebody_elses_software_is_left_alone(alice: ApiClient, client: LiveKitClient) -> None:
    client.create_room("lobby", metadata="another product's")
    assert refused(alice.post(SESSION, roomName="lobby")) == TAKEN
    assert not Call.objects.live().exists()
    deliver()
    room = client.find_room("lobby")
    assert room
    assert room.metadata == "another product's"


@pytest.mark.parametrize("repetition", range(3))
def test_of_many_at_once_one_gets_the_room(alice: ApiClient, client: LiveKitClient, repetition: int) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = [each.result() for each in [pool.submit(alice.post, SESSION, roomName=ROOM) for _ in range(6)]]
    assert sorted(each.status_code for each in answers) == [200, *[409] * 5]
    assert {refused(each) for each in answers if each.status_code == 409} == {TAKEN}
    assert (Call.objects.count(), len(client.list_dispatches(ROOM))) == (1, 1)


def test_a_live_room_is_not_given_twice_even_to_a_stranger(alice: ApiClient, charlie: ApiClient) -> None:
    assert alice.post(SESSION, roomName=ROOM).status_code == 200
    for api in (alice, charlie):
        assert refused(api.post(SESSION, roomName=ROOM)) == TAKEN


# While LiveKit takes its time


@pytest.fixture
def slow_start(alice: ApiClient, spoil: Spoil) -> Callable[[ThreadPoolExecutor], Future[httpx.Response]]:
    """Start a call with a LiveKit that takes a second, and return once the request has arrived."""

    def start(pool: ThreadPoolExecutor) -> Future[httpx.Response]:
        spoil("slow=2000", "only=CreateRoom")
        answer = pool.submit(alice.post, SESSION, roomName=ROOM)
        soon(lambda: Call.objects.filter(state="pending").exists())
        return answer

    return start


def test_no_other_request_waits_for_it(
    alice: ApiClient, harbour: Organization, slow_start: Callable[[ThreadPoolExecutor], Future[httpx.Response]]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        before = other_connections()
        answer = slow_start(pool)
        make_room_call(harbour, room_name="another")
        soon(lambda: not other_connections() - before)
        assert not answer.done()  # it still waits
        assert answer.result().status_code == 200


def test_a_call_that_is_ended_before_it_rings_leaves_no_room(
    alice: ApiClient,
    client: LiveKitClient,
    spoil: Spoil,
    slow_start: Callable[[ThreadPoolExecutor], Future[httpx.Response]],
) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = slow_start(pool)
        assert alice.delete(SESSION, roomName=ROOM).status_code == 200
        spoil()
        deliver()  # too early: the room is not there yet
        assert refused(answer.result()) == (409, "Session ended")
    assert Call.objects.get().state == "missed"
    deliver()
    assert client.find_room(ROOM) is None
    assert RoomAgent.objects.get().status == "disconnected"
