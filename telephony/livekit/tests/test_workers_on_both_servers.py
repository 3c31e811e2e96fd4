"""Real workers in rooms of the simulated and of a real LiveKit: they come, one at a time, die, and are replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_request
from voiceapp.providers.livekit.client import AgentRequest

from .floor import Floor, floor

__all__ = ["floor"]

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.waits, pytest.mark.embedded, pytest.mark.timeout(240),
]  # fmt: skip


def status(call: Call) -> str:
    return str(RoomAgent.objects.get(call=call).status)


def state(call: Call) -> tuple[str, str]:
    call.refresh_from_db()
    return call.state, call.end_reason


def test_a_worker_comes_and_leaves_with_the_room(floor: Floor) -> None:
    with floor.worker():
        opened = floor.call()
        floor.people.join(opened.ticket.token)
        floor.until(lambda: state(opened.call)[0] == "connected")
        assert (status(opened.call), len(floor.agents(opened.call))) == ("active", 1)
        floor.client.delete_room(str(opened.call.room_name))
        floor.until(lambda: state(opened.call) == ("completed", "room_closed"))
        assert status(opened.call) == "disconnected"


def test_a_second_dispatch_brings_no_second_agent(floor: Floor) -> None:
    with floor.worker():
        opened = floor.call()
        floor.people.join(opened.ticket.token)
        floor.until(lambda: status(opened.call) == "active")
        floor.client.create_dispatch(str(opened.call.room_name), agent_request(RoomAgent.objects.get()))
        for _ in range(10):
            time.sleep(0.3)
            assert len(floor.agents(opened.call)) <= 1
        floor.until(lambda: len(floor.agents(opened.call)) == 1 and status(opened.call) == "active")
        assert state(opened.call)[0] == "connected"


def test_a_killed_worker_is_replaced_and_no_job_of_it_is_left(floor: Floor) -> None:
    with contextlib.ExitStack() as stack:
        killed = stack.enter_context(floor.worker("killed"))
        opened = floor.call()
        floor.people.join(opened.ticket.token)
        floor.until(lambda: state(opened.call)[0] == "connected")
        stack.enter_context(floor.worker("second"))
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait(10)
        floor.until(lambda: RoomAgent.objects.get().replaced_at is not None)
        floor.until(lambda: status(opened.call) == "active" and len(floor.agents(opened.call)) == 1)
        assert state(opened.call)[0] == "connected"
        with pytest.raises(ProcessLookupError):
            os.killpg(killed.pid, 0)


def test_metadata_of_another_organizations_call_brings_nobody(floor: Floor) -> None:
    with floor.worker():
        opened = floor.call()
        floor.people.join(opened.ticket.token)
        floor.until(lambda: status(opened.call) == "active")
        floor.client.create_room("elsewhere")
        dispatch = agent_request(RoomAgent.objects.get())
        floor.client.create_dispatch("elsewhere", AgentRequest(dispatch.agent_name, dispatch.metadata))
        floor.client.create_dispatch("elsewhere", AgentRequest(dispatch.agent_name, "{garbage"))
        time.sleep(3)
        assert floor.client.list_participants("elsewhere") == ()
        assert len(floor.agents(opened.call)) == 1


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1/v1", "refused"])
def test_a_model_that_is_away_or_refuses_ends_the_call_with_a_reason(floor: Floor, base_url: str) -> None:
    wrong = {"OPENAI_API_KEY": "sk-unknown"} if base_url == "refused" else {"OPENAI_BASE_URL": base_url}
    with floor.worker(**wrong):
        opened = floor.call()
        floor.people.join(opened.ticket.token)
        floor.until(lambda: state(opened.call)[0] == "failed")
        assert state(opened.call)[1] in ("provider_failed", "provider_refused")
        floor.until(lambda: floor.client.find_room(str(opened.call.room_name)) is None)


def test_a_caller_who_leaves_and_returns_finds_the_same_agent(floor: Floor) -> None:
    with floor.worker():
        opened = floor.call()
        caller = floor.people.join(opened.ticket.token)
        floor.until(lambda: state(opened.call)[0] == "connected")
        agents = floor.agents(opened.call)
        floor.people.leave(str(opened.call.room_name), caller)
        time.sleep(2)
        floor.people.join(opened.ticket.token)
        floor.until(lambda: opened.call.participants.filter(identity=caller, left_at=None).exists())
        assert (state(opened.call)[0], floor.agents(opened.call)) == ("connected", agents)


def test_a_caller_who_joins_twice_is_one_caller(floor: Floor) -> None:
    with floor.worker():
        opened = floor.call()
        floor.people.join(opened.ticket.token)
        floor.until(lambda: state(opened.call)[0] == "connected")
        floor.people.join(opened.ticket.token)
        floor.until(lambda: opened.call.participants.filter(kind="person").count() == 2)
        assert (state(opened.call)[0], len(floor.agents(opened.call)), status(opened.call)) == (
            "connected",
            1,
            "active",
        )
