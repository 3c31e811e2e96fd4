"""Real workers in rooms of the simulated and of a real LiveKit: what they are given, and who is there."""

from __future__ import annotations

import contextlib
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
from sessions.calls.models import Call, CallEvent
from sessions.messages.outbox import outbox
from sessions.rooms.services.calls import OpenedCall, WantedCall, open_room_call
from telephony.livekit.agent.tests.test_spoken_call import agent_worker
from telephony.tasks import process_events, reconcile_calls_in_rooms
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.people import People, people
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests import livekit_server

from .rooms import principal
from .webhook_sender import PATH

KEY = "sk-of-these-workers"
# LiveKit notices a killed participant after about 21 s.
WITHIN_S = 40.0


@dataclass(frozen=True, slots=True)
class Floor:
    """A server for rooms, the people in them, and what workers are given."""

    people: People
    environment: dict[str, str]
    folder: Path
    harbour: Organization
    simulator: RunningLiveKit | None  # not with the real server

    @property
    def is_simulated(self) -> bool:
        return self.simulator is not None

    def injects(self, *faults: str) -> None:
        """In rooms from now on; the real server has none."""
        if self.simulator is not None:
            self.simulator.control("PUT", "faults", json={"faults": faults})

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

    def call(self, *, is_recorded: bool = False) -> OpenedCall:
        return open_room_call(principal(self.harbour), WantedCall(is_recorded=is_recorded))

    def agents(self, call: Call) -> list[str]:
        return [each.identity for each in self.client.list_participants(str(call.room_name)) if each.is_agent]

    def until(self, is_so: Callable[[], object]) -> None:
        """Meanwhile the product's own worker does its work."""
        until_s = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < until_s, list(CallEvent.objects.order_by("id").values_list("call", "kind"))
            process_events()
            outbox.process_due()
            reconcile_calls_in_rooms()
            time.sleep(0.2)


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.livekit_server)])
def floor(
    request: pytest.FixtureRequest, settings: Settings, live_server: LiveServer, tmp_path: Path
) -> Iterator[Floor]:
    hook, keys = live_server.url + PATH, contextlib.ExitStack()
    simulator: RunningLiveKit | None = None
    with keys:
        if request.param == "simulated":
            simulator = keys.enter_context(running_livekit(webhook_urls=[hook], agent_names=[]))
            name_livekit(settings, simulator.url)
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
        yield Floor(who, environment, tmp_path, make_organization("Harbour"), simulator)
