"""The product as it is served, in a thread, with the simulator of OpenAI: real sockets, one database file."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import pytest_asyncio
import uvloop
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from sessions.calls.models import LIVE_STATES, Call
from telephony.live.gateway import call_gateway
from telephony.live.pending_streams import pending_streams
from telephony.live.registry import live_calls
from telephony.twilio.models import PhoneNumber
from voiceapp.console.call_page.progress_feed import page_threads
from voiceapp.core.feeds.following import feed_threads
from voiceapp.core.http.pooled_requests import webhook_threads
from voiceapp.core.serving import serving
from voiceapp.server import Server, listen, uvicorn_config
from voiceapp.simulators.openai import OpenAISimulator

from .browser import Browser, page, signed_in
from .handset import Handset

T = TypeVar("T")

ACCOUNT_SID = "AC" + "b" * 32
AUTH_TOKEN = "auth-token-of-the-live-tests"
API_KEY = "sk-of-the-live-tests"
NUMBER = "+493012345678"
QUIET_WITHIN_S = 20.0


class LoopThread:
    """An event loop of its own, so that what serves never shares a loop with the test that calls it."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=20)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=5)
        self.loop.close()


@dataclass
class Provider:
    """The simulator of OpenAI, and how many sockets it has open."""

    server: OpenAISimulator
    thread: LoopThread

    def drop_links(self) -> None:
        """End every session that is open now."""
        self.thread.do(self.server.close_sessions())

    @property
    def connections(self) -> int:
        return self.server.live_sessions

    def url(self, *faults: str) -> str:
        """An address of this test's own, with its own counters."""
        return self.server.fault_url(f"tag={uuid4().hex}", *faults)


@pytest.fixture(scope="session")
def openai() -> Iterator[Provider]:
    thread = LoopThread()
    server = OpenAISimulator(keys=[API_KEY])
    thread.do(server.__aenter__())
    yield Provider(server, thread)
    thread.do(server.__aexit__(None, None, None))
    thread.stop()


@dataclass
class Serving:
    """The server of `manage.py serve`, with its settings for sockets, on an event loop of its own."""

    server: Server
    loop: asyncio.AbstractEventLoop

    @property
    def is_idle(self) -> bool:
        """No request and no socket is at work. A call leaves `live_calls` before its last facts are written."""
        return not self.server.server_state.tasks


@pytest.fixture(scope="session")
def serving_here(django_db_setup: None, server_socket: socket.socket) -> Iterator[Serving]:
    listening: Future[asyncio.AbstractEventLoop] = Future()
    server = Server(
        uvicorn_config(),
        calls=live_calls,
        budget_s=5,
        when_listening=lambda: listening.set_result(asyncio.get_running_loop()),
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server_socket]}, daemon=True)
    thread.start()
    yield Serving(server, listening.result(20))
    server.should_exit = True
    thread.join(timeout=10)
    webhook_threads.close()
    call_gateway().close()
    page_threads.close()
    feed_threads.close()


@pytest.fixture(scope="session")
def server_socket() -> socket.socket:
    return listen("127.0.0.1", 0)


@pytest.fixture(scope="session")
def address(serving_here: Serving, server_socket: socket.socket) -> str:
    """Where the product serves."""
    return f"http://127.0.0.1:{server_socket.getsockname()[1]}"


@pytest.fixture
def product(
    address: str, serving_here: Serving, openai: Provider, settings: Settings, transactional_db: None
) -> Iterator[str]:
    """The address, with a database of this test's own. Afterwards nothing of the test is left in the process."""
    settings.PUBLIC_BASE_URL = address
    settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    settings.MAX_IDLE_LINKS = 0
    yield address
    assert comes_true(lambda: not live_calls and not len(pending_streams), QUIET_WITHIN_S), "a call was left behind"
    written = live_calls.wait_until_closed(within_s=QUIET_WITHIN_S)
    asyncio.run_coroutine_threadsafe(written, serving_here.loop).result(2 * QUIET_WITHIN_S)
    assert comes_true(lambda: serving_here.is_idle, QUIET_WITHIN_S), "a request or a socket was left behind"
    assert comes_true(lambda: openai.connections == 0, QUIET_WITHIN_S), "a provider's socket was left behind"
    live_calls.is_draining = serving.is_draining = False


@pytest.fixture
def line(product: str) -> PhoneNumber:
    """Alice's restaurant: always open, one published agent behind one number."""
    organization = Organization.objects.create(name="Alice's", slug="alices")
    agent = Agent.objects.create(organization=organization, name="Host", is_default=True)
    publish_agent(agent, by="alice")
    return PhoneNumber.objects.create(organization=organization, number=NUMBER)


@pytest_asyncio.fixture
async def new_handset(line: PhoneNumber, product: str) -> AsyncIterator[Callable[[], Handset]]:
    made: list[Handset] = []

    def make() -> Handset:
        handset = Handset(product, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, dialed=line.number)
        made.append(handset)
        return handset

    yield make
    await asyncio.gather(*(handset.put_away() for handset in made))
    # The thread of the asynchronous ORM keeps its connection for ever, and with it SQLite's files.
    await sync_to_async(connections.close_all)()


@pytest.fixture
def handset(new_handset: Callable[[], Handset]) -> Handset:
    return new_handset()


@pytest_asyncio.fixture
async def tab(line: PhoneNumber, product: str, openai: Provider) -> AsyncIterator[Browser]:
    """The call page of Alice's in a tab of her browser."""
    session = await in_a_thread(lambda: signed_in(line.organization))
    async with page(product, slug=line.organization.slug, session=session) as opened:
        yield opened
    assert await asyncio.to_thread(comes_true, lambda: openai.server.live_calls == 0, 15), "a call is open at OpenAI"
    await sync_to_async(connections.close_all)()


def comes_true(claim: Callable[[], bool], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


async def in_a_thread(work: Callable[[], T]) -> T:
    """Run blocking database work in a thread, and close its connection."""

    def do() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(do)


async def call_of(handset: Handset) -> Call:
    return await Call.objects.aget(carrier_sid=handset.call_sid)


async def end_of(handset: Handset, *, within_s: float = QUIET_WITHIN_S) -> tuple[str, str]:
    """State and reason of the call once it is over. How soon, is up to the machine: a lost call is over after 45 s."""
    async with asyncio.timeout(within_s):
        while (call := await call_of(handset)).state in LIVE_STATES:
            await asyncio.sleep(0.03)
    return call.state, call.end_reason


async def kinds_of(handset: Handset) -> list[str]:
    """The event kinds of the call's timeline."""
    call = await call_of(handset)
    return [event.kind async for event in call.events.all()]
