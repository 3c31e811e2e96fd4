"""LiveKit away, slow, refusing, losing its answer; two at once; calls that end meanwhile. Nothing is left half-done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, refused
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import WITHDRAW_TOPIC
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit import client as provider
from voiceapp.providers.livekit.client import RESPONSE_TIMEOUT_S, LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.gate import Mode, closed_address, gate_before
from voiceapp.tests.waiting import soon

from .api_requests import AGENT, REALTIME
from .conftest import SeeAgent

pytestmark = pytest.mark.waits

AWAY, FAILED = (503, "Voice service unavailable"), (500, "Failed to spawn agent")
FAULTS = [
    ("away", AWAY),
    ("slow", AWAY),
    ("credentials", AWAY),
    ("reset", AWAY),
    ("code=unavailable", AWAY),
    ("code=resource_exhausted", AWAY),
    ("code=internal", FAILED),
    ("code=already_exists", FAILED),
]
# After these the dispatch may have been made: what arrives is no answer of LiveKit's.
GARBLED = ["garbage", "garbage_protobuf", "lost_answer"]


@pytest.fixture
def spoil(livekit: RunningLiveKit, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Requests to LiveKit go to an address with these faults; without any, to its own.

    A response is missed after half a second only where none comes: on a busy machine others take as long.
    """

    def choose(*faults: str) -> None:
        settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(*faults) if faults else livekit.url
        monkeypatch.setattr(provider, "RESPONSE_TIMEOUT_S", 0.5 if "slow" in faults else RESPONSE_TIMEOUT_S)

    return choose


def no_agent_is_expected(client: LiveKitClient) -> bool:
    return not RoomAgent.objects.present().exists() and client.list_dispatches(ROOM) == ()


@pytest.mark.parametrize(("fault", "answer"), FAULTS)
@pytest.mark.parametrize("method", ["ListRooms", "CreateDispatch"])
def test_a_failed_spawn_leaves_no_agent_expected(
    alice: ApiClient,
    call: Call,
    client: LiveKitClient,
    spoil: Callable[..., None],
    fault: str,
    answer: tuple[int, str],
    method: str,
) -> None:
    spoil(fault, f"only={method}")
    got = alice.post(AGENT, roomName=ROOM)
    assert refused(got) == answer
    assert ("Retry-After" in got.headers) is (answer[0] == 503)
    assert RoomAgent.objects.count() == (1 if method == "CreateDispatch" else 0)
    spoil()
    outbox.process_due([WITHDRAW_TOPIC])
    assert no_agent_is_expected(client)
    assert alice.post(AGENT, roomName=ROOM).status_code == 200


def test_a_livekit_that_is_not_there(alice: ApiClient, call: Call, settings: Settings) -> None:
    settings.LIVEKIT_INTERNAL_URL = closed_address()
    assert refused(alice.post(AGENT, roomName=ROOM)) == AWAY
    assert not RoomAgent.objects.exists()


@pytest.mark.parametrize("fault", GARBLED)
def test_an_agent_dispatched_without_a_response_is_removed(
    alice: ApiClient, call: Call, client: LiveKitClient, spoil: Callable[..., None], fault: str
) -> None:
    spoil(fault, "only=CreateDispatch")
    assert alice.post(AGENT, roomName=ROOM).status_code in (500, 503)
    if fault == "lost_answer":
        soon(lambda: client.list_participants(ROOM))
    spoil()
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    assert (client.list_participants(ROOM), no_agent_is_expected(client)) == ((), True)
    assert client.find_room(ROOM)


def test_putting_out_is_tried_until_livekit_is_back_and_spares_the_next_agent(
    alice: ApiClient, call: Call, client: LiveKitClient, spoil: Callable[..., None], see_agent: SeeAgent
) -> None:
    spoil("lost_answer", "only=CreateDispatch")
    assert alice.post(AGENT, roomName=ROOM).status_code == 503
    spoil("away")
    assert outbox.process_due([WITHDRAW_TOPIC]) == 0
    spoil()
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
    current = RoomAgent.objects.present().get()
    soon(lambda: len(client.list_participants(ROOM)) == 2)
    OutboxMessage.objects.update(due_at=call.created_at)
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    assert [each.identity for each in client.list_participants(ROOM)] == [current.identity]
    assert [each.id for each in client.list_dispatches(ROOM)] == [current.dispatch_id]


@pytest.mark.parametrize("path", [AGENT, REALTIME])
@pytest.mark.parametrize("fault", ["away", "slow", "credentials", "reset", "code=unavailable"])
def test_a_failed_removal_changes_nothing(
    alice: ApiClient,
    call: Call,
    client: LiveKitClient,
    spoil: Callable[..., None],
    see_agent: SeeAgent,
    path: str,
    fault: str,
) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    spoil(fault)
    answer = alice.delete(path, roomName=ROOM)
    assert refused(answer) == AWAY
    assert answer.headers["Retry-After"]
    assert RoomAgent.objects.get().status == "active"
    assert len(client.list_participants(ROOM)) == len(client.list_dispatches(ROOM)) == 1
    spoil()
    assert alice.delete(path, roomName=ROOM).status_code == 200
    assert client.list_participants(ROOM) == ()


def test_a_removal_that_livekit_refuses_is_500(
    alice: ApiClient, call: Call, spoil: Callable[..., None], see_agent: SeeAgent
) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    spoil("code=internal")
    assert refused(alice.delete(AGENT, roomName=ROOM)) == (500, "Failed to remove agent")
    assert RoomAgent.objects.get().status == "active"


def test_an_agent_that_is_still_on_its_way_is_called_back(
    alice: ApiClient, call: Call, client: LiveKitClient, spoil: Callable[..., None]
) -> None:
    spoil("agent_late=0.2")
    alice.post(AGENT, roomName=ROOM)
    assert alice.delete(AGENT, roomName=ROOM).status_code == 200
    assert no_agent_is_expected(client)
    with pytest.raises(AssertionError):
        soon(lambda: client.list_participants(ROOM), within_s=0.4)


def test_one_who_came_by_a_token_of_its_own_is_put_out_too(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, client: LiveKitClient, spoil: Callable[..., None]
) -> None:
    spoil("agent_never")
    session = alice.post(AGENT, roomName=ROOM).json()["session"]
    livekit.join(session["token"])
    livekit.join(client.join_token(room=ROOM, identity="alice-herself"))
    assert len(client.list_participants(ROOM)) == 2
    assert alice.delete(AGENT, roomName=ROOM).status_code == 200
    assert [each.identity for each in client.list_participants(ROOM)] == ["alice-herself"]


# Two at once, and calls that end meanwhile


def at_once(count: int, send: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(send) for _ in range(count)]]


def test_of_many_spawns_at_once_one_wins(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    answers = at_once(6, lambda: alice.post(AGENT, roomName=ROOM).status_code)
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    assert RoomAgent.objects.count() == len(client.list_dispatches(ROOM)) == 1


def test_of_many_removals_at_once_none_fails(
    alice: ApiClient, call: Call, client: LiveKitClient, see_agent: SeeAgent
) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    assert set(at_once(4, lambda: alice.delete(AGENT, roomName=ROOM).status_code)) <= {200, 404}
    assert no_agent_is_expected(client)


@pytest.mark.parametrize("method", ["ListDispatch", "DeleteDispatch"])
def test_a_room_that_closes_during_a_removal_has_no_agent(
    alice: ApiClient, call: Call, client: LiveKitClient, see_agent: SeeAgent, settings: Settings, method: str
) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    with gate_before(settings.LIVEKIT_INTERNAL_URL) as gate, ThreadPoolExecutor(1) as pool:
        gate.mode, gate.holds = Mode.KEEPS_REQUESTS, method
        settings.LIVEKIT_INTERNAL_URL = gate.url
        request = pool.submit(lambda: alice.delete(AGENT, roomName=ROOM))
        assert gate.is_held.wait(10)
        client.delete_room(ROOM)
        gate.is_over.set()
        assert request.result().status_code == 200
    assert RoomAgent.objects.get().status == "disconnected"


def test_a_call_that_ends_during_the_request_to_livekit_gets_no_agent(
    alice: ApiClient, call: Call, client: LiveKitClient, spoil: Callable[..., None]
) -> None:
    spoil("slow=2000", "only=CreateDispatch")
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(lambda: alice.post(AGENT, roomName=ROOM))
        soon(lambda: RoomAgent.objects.exists())
        finish_call(call.pk, reason=EndReason.ENDED_BY_REQUEST)
        client.delete_room(ROOM)
        assert refused(request.result()) == (400, "Call not active")
    spoil()
    assert not RoomAgent.objects.present().exists()
    # The dispatch opened the room again: it is closed with the agent.
    assert client.find_room(ROOM)
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    assert client.find_room(ROOM) is None


def test_an_agent_removed_during_the_request_to_livekit_does_not_join(
    alice: ApiClient, call: Call, client: LiveKitClient, spoil: Callable[..., None]
) -> None:
    spoil("slow=2000", "only=CreateDispatch")
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(lambda: alice.post(AGENT, roomName=ROOM))
        soon(lambda: RoomAgent.objects.exists())
        assert alice.delete(AGENT, roomName=ROOM).status_code == 200
        assert request.result().status_code == 400
    spoil()
    outbox.process_due([WITHDRAW_TOPIC])
    assert (client.list_participants(ROOM), no_agent_is_expected(client)) == ((), True)


def test_a_later_call_of_the_same_name_keeps_its_room_and_agent(
    alice: ApiClient,
    harbour: Organization,
    open_call: Callable[..., Call],
    client: LiveKitClient,
    spoil: Callable[..., None],
) -> None:
    first = open_call(harbour)
    spoil("lost_answer", "only=CreateDispatch")
    alice.post(AGENT, roomName=ROOM)
    finish_call(first.pk, reason=EndReason.ENDED_BY_REQUEST)
    client.delete_room(ROOM)
    spoil()
    open_call(harbour)
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    assert client.find_room(ROOM)
    assert len(client.list_dispatches(ROOM)) == 1
