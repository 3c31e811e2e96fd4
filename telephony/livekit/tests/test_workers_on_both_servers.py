"""Real workers in rooms of the simulated and of a real LiveKit: they come, one at a time, die, and are replaced."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_request
from sessions.rooms.services.calls import OpenedCall, WantedCall, open_room_call
from telephony.livekit.agent.tests.test_spoken_call import agent_worker
from telephony.tasks import process_events, reconcile_calls_in_rooms
from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.simulators.livekit.tests.people import People, people
from voiceapp.simulators.livekit.tests.running import name_livekit, running_livekit
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests import livekit_server

from .rooms import principal
from .webhook_sender import PATH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits, pytest.mark.timeout(240)]

KEY = "sk-of-these-workers"
# LiveKit notices a killed participant after about 21 s.
WITHIN_S = 80.0


@dataclass(frozen=True, slots=True)
class Floor:
    """A server for rooms, the people in them, and what workers are given."""

    people: People
    environment: dict[str, str]
    folder: Path
    harbour: Organization

    @property
    def client(self) -> LiveKitClient:
        return LiveKitClient.from_settings()

    @contextlib.contextmanager
    def worker(self, name: str = "first", **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """Its calls are over before it ends: it would wait for them."""
        folder = self.folder / name
        folder.mkdir()
        with agent_worker(folder, self.environment | environment) as process:
            yield process
            for call in Call.objects.live():
                self.client.delete_room(str(call.room_name))

    def call(self) -> OpenedCall:
        return open_room_call(principal(self.harbour), WantedCall(is_recorded=False))

    def agents(self, call: Call) -> list[str]:
        return [each.identity for each in self.client.list_participants(str(call.room_name)) if each.is_agent]

    def until(self, is_so: Callable[[], object]) -> None:
        """Meanwhile the product's own worker does its work."""
        until_s = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < until_s, list(Call.objects.get().events.values_list("kind", flat=True))
            process_events()
            outbox.process_due()
            reconcile_calls_in_rooms()
            time.sleep(0.2)


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.livekit_server)])
def floor(
    request: pytest.FixtureRequest, settings: Settings, live_server: LiveServer, tmp_path: Path
) -> Iterator[Floor]:
    hook, keys = live_server.url + PATH, contextlib.ExitStack()
    with keys:
        if request.param == "simulated":
            server = keys.enter_context(running_livekit(webhook_urls=[hook], agent_names=[]))
            name_livekit(settings, server.url)
        elif reason := livekit_server.why_not_there():
            pytest.skip(reason)
        else:
            for name, value in keys.enter_context(
                livekit_server.running(tmp_path, webhook_urls=[hook])
            ).environment.items():
                setattr(settings, name, value)
        openai = keys.enter_context(running_openai(keys=[KEY]))
        names = ("LIVEKIT_HOST", "LIVEKIT_INTERNAL_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
        environment = {name: getattr(django_settings, name) for name in names}
        environment |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url}
        who = keys.enter_context(people(django_settings.LIVEKIT_HOST.replace("http", "ws", 1)))
        yield Floor(who, environment, tmp_path, make_organization("Harbour"))


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
