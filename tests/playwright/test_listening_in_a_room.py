"""Alice listens in on a call in a room: she hears both voices within half a second, and nobody there learns of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from agents.tests.builders import make_organization
from sessions.calls.models import Call, CallListening
from sessions.rooms.services.calls import WantedCall, open_room_call
from telephony.live.tests.browser import signed_in
from telephony.tasks import process_events
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.media import Participant, participant
from voiceapp.simulators.livekit.tests.sides import Side
from voiceapp.tests.waiting import soon

from .conftest import desk_at
from .rooms import MARKS, livekit

__all__ = ["livekit"]

pytestmark = [
    *MARKS,
    # whitenoise reads files in one piece
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
]

T = TypeVar("T")
HEARD_WITHIN_S = 0.5
LOUDNESS = "voice => document.querySelector(`[data-voice=${voice}] meter`).value"
LOUD = 0.03


class People:
    """The caller and the agent, on a loop of their own."""

    def __init__(self, url: str) -> None:
        self._side = cast(Side, SimpleNamespace(url=url))  # nothing else of it is read
        self._loop = asyncio.new_event_loop()
        self._there = contextlib.AsyncExitStack()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def join(self, token: str) -> Participant:
        return self.do(self._join(token))

    async def _join(self, token: str) -> Participant:
        one = await self._there.enter_async_context(participant(self._side, token))
        await one.publish()
        return one

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self.do(self._there.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def people(livekit: str) -> Iterator[People]:
    people = People(livekit)
    yield people
    people.close()


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour")


def test_both_voices_are_heard_within_half_a_second(
    people: People, harbour: Organization, browser: Browser, live_server: LiveServer, settings: Settings
) -> None:
    principal = Principal("user_bob", frozenset({harbour.pk}), kind=Kind.CLERK, organization_id=harbour.pk)
    opened = open_room_call(principal, WantedCall())
    assert opened.agent
    room = str(opened.call.room_name)
    caller = people.join(opened.ticket.token)
    agent = people.join(LiveKitClient.from_settings().agent_token(room=room, identity=opened.agent.identity))
    soon(lambda: are_there(opened.call), within_s=10)
    with desk_at(browser, "1280 light", live_server.url, signed_in(harbour)) as alice:
        page = alice.page
        page.goto(f"{live_server.url}/admin/live/{opened.call.pk}/")
        page.get_by_role("button", name="Listen in").click()
        expect(page.get_by_role("button", name="Stop listening")).to_be_visible()
        for voice, speaker in (("caller", caller), ("agent", agent)):
            until_loud(page, voice, speaker, people)  # the tracks are there
            page.wait_for_timeout(500)
            assert page.evaluate(LOUDNESS, voice) < LOUD
            waited_s = until_loud(page, voice, speaker, people)
            assert waited_s < HEARD_WITHIN_S
        assert caller.room.remote_participants.keys() == {opened.agent.identity}
        listening = CallListening.objects.get()
        assert (listening.principal, listening.ended_at) == ("alice", None)
        page.get_by_role("button", name="Stop listening").click()
        expect(page.get_by_text("alice stopped listening")).to_be_visible()
        policy = [each for each in alice.complaints if "Content Security Policy" in each]
        assert policy == []
    process_events()
    assert CallListening.objects.get().ended_at
    assert opened.call.participants.count() == 2


def are_there(call: Call) -> bool:
    """The caller and the agent, as LiveKit reports it."""
    process_events()
    return call.participants.filter(joined_at__isnull=False).count() == 2


def until_loud(page: Page, voice: str, speaker: Participant, people: People) -> float:
    """Seconds from the first sound of a tone until the page plays it."""
    began_s = time.monotonic()
    people.begin(speaker.play(hertz=440, seconds=1))
    while page.evaluate(LOUDNESS, voice) < LOUD:
        assert time.monotonic() < began_s + 10, page.locator("#outcome").inner_text()
        page.wait_for_timeout(10)
    waited_s = time.monotonic() - began_s
    page.wait_for_timeout(1200)
    return waited_s
