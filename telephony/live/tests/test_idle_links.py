"""Links that are connected before a call needs them: how many there are, which call gets one, and when they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import pytest
import pytest_asyncio
from pytest_django import Settings
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from telephony.bridge.core.actions import LinkLoss
from telephony.live import idle_link, idle_links
from telephony.live.idle_link import Destination
from telephony.live.idle_links import IdleLinks, Pool
from telephony.live.links import ProviderLink
from telephony.live.openai_provider import AUDIO_PREFIX, fault_in
from voiceapp.core.serving import serving

from .scripted_provider import url_of

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.embedded]

CREATED = '{"type":"session.created","session":{"id":"sess_1"}}'
KEY, NEW_KEY = "sk-first", "sk-second"


class Provider:
    """Accepts sockets after `takes_s`, sends `first` on each, and counts them."""

    def __init__(self) -> None:
        self.url = ""
        self.takes_s = 0.0
        self.first: list[str] = [CREATED]
        self.refusal: HTTPStatus | None = None
        self.retry_after = ""
        self.requests = 0
        self.open: list[ServerConnection] = []

    async def accept(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests += 1
        await asyncio.sleep(self.takes_s)
        if self.refusal is None:
            return None
        response = socket.respond(self.refusal, "no")
        if self.retry_after:
            response.headers["Retry-After"] = self.retry_after
        return response

    async def __call__(self, socket: ServerConnection) -> None:
        self.open.append(socket)
        for frame in self.first:
            await socket.send(frame)
        await socket.wait_closed()
        self.open.remove(socket)

    def to(self, model: str = "m", key: str = KEY) -> Destination:
        return Destination(
            f"{self.url}?model={model}".replace("http", "ws", 1),
            (("Authorization", f"Bearer {key}"),),
            audio_prefix=AUDIO_PREFIX,
            fatal_codes=frozenset({4000}),
            fault_in=fault_in,
        )


class Call:
    """What a call does with its link, and what it hears of it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.losses: list[LinkLoss] = []
        self.link: ProviderLink | None = None

    async def begin(self, links: IdleLinks, destination: Destination) -> bool:
        """Returns whether its link was idle."""
        idle = links.take(destination)
        if idle is not None:
            self.link = idle.link
            idle.hand_over(on_opened=self.opened, on_frame=self.heard.append, on_lost=self.losses.append)
            return True
        self.link = links.new_link(
            destination, on_opened=self.opened, on_frame=self.heard.append, on_lost=self.losses.append
        )
        await self.link.open()
        return False

    def opened(self) -> None:
        self.heard.append("opened")

    def end(self) -> None:
        if self.link is not None:
            self.link.close()


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    async with serve(provider, "127.0.0.1", 0, process_request=provider.accept, compression=None) as server:
        provider.url = url_of(server)
        yield provider


@pytest_asyncio.fixture
async def links(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdleLinks]:
    monkeypatch.setattr(idle_links, "TICK_S", 0.02)
    settings.MAX_IDLE_LINKS = 10
    settings.IDLE_LINK_MAX_AGE_S = 240
    links = IdleLinks()
    links.start()
    yield links
    links.stop()


async def until(claim: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not claim():
            await asyncio.sleep(0.01)


async def one_idle(links: IdleLinks, provider: Provider, model: str = "m") -> ServerConnection:
    """The first call has connected its own link and is over; one more waits: its socket, as the provider has it."""
    call = Call()
    assert not await call.begin(links, provider.to(model))
    await until(lambda: len(links) == 1)
    call.end()
    await until(lambda: len(provider.open) == 1)
    return provider.open[0]


async def test_the_second_call_takes_a_link_that_is_connected(links: IdleLinks, provider: Provider) -> None:
    socket = await one_idle(links, provider)
    call = Call()

    assert await call.begin(links, provider.to())

    assert call.heard == ["opened", CREATED]
    await socket.send("later")
    await until(lambda: call.heard[-1] == "later")
    call.end()


async def test_the_link_after_it_is_connected_at_once(links: IdleLinks, provider: Provider) -> None:
    await one_idle(links, provider)
    call = Call()
    await call.begin(links, provider.to())

    await until(lambda: len(links) == 1)

    assert len(provider.open) == 2
    call.end()


async def test_a_taken_link_reports_its_end_to_the_call(links: IdleLinks, provider: Provider) -> None:
    socket = await one_idle(links, provider)
    call = Call()
    await call.begin(links, provider.to())

    await socket.close(1011, "restart")

    await until(lambda: call.losses == [LinkLoss(1011, "restart")])


async def test_before_the_first_call_nothing_is_connected(links: IdleLinks, provider: Provider) -> None:
    await asyncio.sleep(0.1)
    assert provider.requests == 0


async def test_a_link_that_died_while_idle_is_never_given(links: IdleLinks, provider: Provider) -> None:
    socket = await one_idle(links, provider)
    provider.refusal = HTTPStatus.SERVICE_UNAVAILABLE

    socket.transport.abort()
    await until(lambda: len(links) == 0)

    assert links.take(provider.to()) is None


async def test_links_of_another_model_are_not_given(links: IdleLinks, provider: Provider) -> None:
    await one_idle(links, provider)

    assert links.take(provider.to("other")) is None
    assert links.take(provider.to("m")) is not None


async def test_a_new_key_closes_the_links_of_the_old_one(links: IdleLinks, provider: Provider) -> None:
    await one_idle(links, provider)

    assert links.take(provider.to(key=NEW_KEY)) is None

    assert len(links) == 0
    await until(lambda: not provider.open)


async def test_old_links_are_replaced_before_they_are_closed(
    links: IdleLinks, provider: Provider, settings: Settings
) -> None:
    settings.IDLE_LINK_MAX_AGE_S = 1
    first = await one_idle(links, provider)

    for _ in range(120):
        await asyncio.sleep(0.01)
        assert len(links) >= 1

    assert first not in provider.open
    assert len(provider.open) == 1
    assert provider.requests == 3


async def test_a_link_over_its_age_is_not_given(links: IdleLinks, provider: Provider, settings: Settings) -> None:
    await one_idle(links, provider)
    settings.IDLE_LINK_MAX_AGE_S = 0

    assert links.take(provider.to()) is None


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])
async def test_after_a_refusal_the_next_link_waits_longer_each_time(
    links: IdleLinks, provider: Provider, monkeypatch: pytest.MonkeyPatch, status: HTTPStatus
) -> None:
    monkeypatch.setattr(idle_links, "LONGEST_PAUSE_S", 0.3)
    call = Call()
    await call.begin(links, provider.to())
    provider.refusal = status
    await asyncio.sleep(1.0)

    assert 2 <= provider.requests <= 6
    provider.refusal = None
    await until(lambda: len(links) == 1)
    call.end()


async def test_the_wait_that_the_provider_names_is_kept(links: IdleLinks, provider: Provider) -> None:
    call = Call()
    await call.begin(links, provider.to())
    provider.refusal, provider.retry_after = HTTPStatus.TOO_MANY_REQUESTS, "30"
    await until(lambda: provider.requests == 2)
    provider.refusal = None

    await asyncio.sleep(1.2)

    assert provider.requests == 2
    call.end()


async def test_a_refused_key_connects_no_idle_link(links: IdleLinks, provider: Provider) -> None:
    provider.refusal = HTTPStatus.UNAUTHORIZED
    call = Call()
    await call.begin(links, provider.to())
    assert call.losses == [LinkLoss(401, "HTTP 401", is_fatal=True)]

    await asyncio.sleep(1.2)

    assert provider.requests == 1


async def test_a_key_that_is_refused_later_is_not_tried_again(links: IdleLinks, provider: Provider) -> None:
    call = Call()
    await call.begin(links, provider.to())
    provider.refusal = HTTPStatus.UNAUTHORIZED
    await until(lambda: provider.requests == 2)

    await asyncio.sleep(1.2)

    assert provider.requests == 2
    provider.refusal = None
    await Call().begin(links, provider.to())  # a call connects with it: it is good again
    await until(lambda: len(links) == 1)
    call.end()


async def test_a_key_that_is_refused_later_takes_its_other_links_with_it(links: IdleLinks, provider: Provider) -> None:
    provider.takes_s = 0.3
    calls = [Call() for _ in range(60)]
    await asyncio.gather(*(call.begin(links, provider.to()) for call in calls))
    await until(lambda: len(links) >= 2)
    provider.takes_s, provider.refusal = 0.0, HTTPStatus.FORBIDDEN

    call = Call()
    assert await call.begin(links, provider.to())  # a successor begins to connect, and is refused
    await until(lambda: len(links) == 0)

    assert links.take(provider.to()) is None
    assert not call.losses
    for each in (*calls, call):
        each.end()


async def test_a_call_that_gets_429_has_the_place_of_idle_links(links: IdleLinks, provider: Provider) -> None:
    await one_idle(links, provider)
    provider.refusal = HTTPStatus.TOO_MANY_REQUESTS

    await Call().begin(links, provider.to("other"))

    assert len(links) == 0
    await until(lambda: not provider.open)


@pytest.mark.parametrize(
    "first", [['{"type":"error","error":{"code":"insufficient_quota"}}'], ["{not json"], [], [CREATED] * 11]
)
async def test_without_a_sound_session_a_link_is_not_kept(
    links: IdleLinks, provider: Provider, monkeypatch: pytest.MonkeyPatch, first: list[str]
) -> None:
    monkeypatch.setattr(idle_link, "SESSION_WITHIN_S", 0.1)
    call = Call()
    await call.begin(links, provider.to())
    provider.first = first

    await until(lambda: provider.requests == 2)
    await until(lambda: len(provider.open) == 1)

    assert len(links) == 0
    call.end()


async def test_an_error_of_an_idle_session_ends_it(links: IdleLinks, provider: Provider) -> None:
    socket = await one_idle(links, provider)
    provider.refusal = HTTPStatus.SERVICE_UNAVAILABLE

    await socket.send(json.dumps({"type": "error", "error": {"code": "session_expired"}}))

    await until(lambda: not len(links) and not provider.open)


async def test_switched_off_none_is_connected(links: IdleLinks, provider: Provider, settings: Settings) -> None:
    settings.MAX_IDLE_LINKS = 0
    for _ in range(2):
        assert not await Call().begin(links, provider.to())

    await asyncio.sleep(0.1)

    assert provider.requests == 2


async def test_stopping_closes_idle_links_and_leaves_those_of_calls(links: IdleLinks, provider: Provider) -> None:
    await one_idle(links, provider)
    provider.takes_s = 0.2
    call = Call()
    await call.begin(links, provider.to())  # and a successor begins to connect
    await asyncio.sleep(0.05)

    links.stop()

    await asyncio.sleep(0.4)
    assert len(provider.open) == 1
    assert not call.losses
    assert not await call.begin(links, provider.to())
    call.end()


@pytest.mark.parametrize(("per_minute", "wanted"), [(1, 1), (17, 1), (18, 2), (60, 3), (120, 4), (1200, 19)])
async def test_there_are_as_many_as_calls_begin_while_one_connects(
    provider: Provider, per_minute: int, wanted: int
) -> None:
    pool = Pool(provider.to())
    for number in range(2 * per_minute):
        pool.call_began(number * 60 / per_minute)
        pool.connected(within_s=0.6)
        pool.worked()

    assert pool.wanted(119.99) == wanted
    assert pool.wanted(119.99 + 61) == 1  # a minute without calls


async def test_there_are_never_more_than_the_setting_for_all_models(
    links: IdleLinks, provider: Provider, settings: Settings
) -> None:
    settings.MAX_IDLE_LINKS = 2
    settings.IDLE_LINK_MAX_AGE_S = 1
    for model in ("m1", "m2", "m3"):
        call = Call()
        await call.begin(links, provider.to(model))
        call.end()

    for _ in range(130):
        await asyncio.sleep(0.01)
        assert len(provider.open) <= 3  # the third closes

    await until(lambda: len(links) == 2)
    assert links.take(provider.to("m1")) is None
    assert links.take(provider.to("m3")) is not None


async def test_a_process_that_is_full_of_calls_keeps_none(
    links: IdleLinks, provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_LIVE_CALLS = 3
    await one_idle(links, provider)

    monkeypatch.setattr(serving, "live_calls", 3)

    await until(lambda: not len(links) and not provider.open)


async def test_after_a_quiet_hour_none_is_left(
    links: IdleLinks, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_idle(links, provider)

    monkeypatch.setattr(idle_links, "QUIET_AFTER_S", 0.1)

    await until(lambda: not len(links) and not provider.open)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "idle links"]


async def test_a_call_on_another_event_loop_connects_by_itself(links: IdleLinks, provider: Provider) -> None:
    await one_idle(links, provider)

    async def take() -> bool:
        return links.take(provider.to()) is None

    assert await asyncio.to_thread(lambda: asyncio.run(take()))
