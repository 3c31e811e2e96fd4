"""A page that loses the socket of its phone line goes on in its call, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from agents.configuration.models import AgentVersion
from agents.organizations.models import Organization
from sessions.calls.models import Call, CallEvent, TranscriptLine
from telephony.live import dialer_call, live_call
from telephony.live.registry import live_calls
from telephony.twilio.models import PhoneNumber

from .conftest import in_a_thread
from .dialer import Dialer, session_of
from .steady_dialer import SteadyDialer

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

GREETING = "Hello, this is Alice's restaurant by the harbour. What would you like to order this evening?"
NewDialer = Callable[..., Dialer]


@pytest_asyncio.fixture
async def new_dialer(line: PhoneNumber, product: str) -> AsyncIterator[NewDialer]:
    """Alice's, unless it is said whose."""
    await AgentVersion.objects.aupdate(greeting=GREETING)
    made: list[Dialer] = []
    alice = await in_a_thread(lambda: session_of("alice", line.organization))

    def make(session: str = alice, *, kind: type[Dialer] = SteadyDialer) -> Dialer:
        dialer = kind(product, line.organization.slug, session=session)
        made.append(dialer)
        return dialer

    yield make
    await asyncio.gather(*(dialer.put_away() for dialer in made))
    await sync_to_async(connections.close_all)()


@pytest.fixture
def dialer(new_dialer: NewDialer) -> SteadyDialer:
    made = new_dialer()
    assert isinstance(made, SteadyDialer)
    return made


def spoken_ms(heard: bytes | bytearray) -> int:
    """How long the agent was heard, without what is silent in it."""
    return len(heard.replace(b"\xff", b"")) // 8


async def until(wanted: Callable[[], object], *, within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not wanted():
            await asyncio.sleep(0.02)


def captions(dialer: Dialer) -> list[dict[str, object]]:
    return [frame["caption"] for frame in dialer.others if frame["event"] == "caption"]


async def test_a_call_goes_on_and_what_was_typed_meanwhile_arrives(dialer: SteadyDialer) -> None:
    await dialer.dial()
    call = await dialer.call()
    await dialer.until_heard(600)
    dialer.lose_line()
    await asyncio.sleep(1.5)
    assert (await Call.objects.aget(pk=call.pk)).state == "connected"
    await dialer.send({"event": "say", "text": "I am back"})
    await dialer.come_back()
    await dialer.is_back()
    await until(lambda: any(each["who"] == "caller" for each in captions(dialer)))
    await dialer.hang_up()
    assert await dialer.end() == ("completed", "caller_hung_up")
    assert [kind async for kind in CallEvent.objects.filter(call=call).values_list("kind", flat=True)].count(
        "line_returned"
    ) == 1
    said = TranscriptLine.objects.filter(call=call).order_by("spoken_at_ms")
    assert [line.text async for line in said.filter(speaker="caller")] == ["I am back"]


async def test_nothing_of_the_agent_is_lost_or_heard_twice(dialer: SteadyDialer, new_dialer: NewDialer) -> None:
    whole = new_dialer()
    assert isinstance(whole, SteadyDialer)
    for each in (whole, dialer):
        await each.dial()
        await each.until_heard(400)
    dialer.lose_line()
    await asyncio.sleep(1.0)
    await dialer.come_back()
    await dialer.is_back()
    text = (await dialer.gets("caption"))["caption"]["text"]
    assert text == GREETING
    # The other one is ahead until it has heard all.
    await until(
        lambda: dialer.has_played_all and 3_000 < spoken_ms(whole.heard) == spoken_ms(dialer.heard), within_s=30
    )
    for each in (whole, dialer):
        await each.hang_up()
    assert whole.heard.replace(b"\xff", b"") == dialer.heard.replace(b"\xff", b"")
    [line] = [each async for each in TranscriptLine.objects.filter(call=await dialer.call())]
    assert (line.text, line.is_cut) == (GREETING, False)


async def test_a_second_socket_takes_the_place_of_one_that_only_seems_to_work(dialer: SteadyDialer) -> None:
    await dialer.dial()
    await dialer.until_heard(200)
    first = dialer._socket
    dialer.is_away = True
    await dialer.come_back()
    await dialer.is_back()
    assert first is not None
    await asyncio.wait_for(first.wait_closed(), 10)
    assert first.close_code == 1012
    heard = spoken_ms(dialer.heard)
    await dialer.until_heard(heard + 200)
    await dialer.hang_up()
    assert await dialer.end() == ("completed", "caller_hung_up")


async def test_a_page_that_does_not_come_back_is_a_lost_stream(
    dialer: SteadyDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_call, "HEAR_WITHIN_S", 1.0)
    await dialer.dial()
    await dialer.until_heard(200)
    dialer.lose_line()
    assert await dialer.end(within_s=10) == ("failed", "stream_lost")
    await dialer.come_back()
    assert await dialer.close_comes(within_s=10) == 1000
    ended = await dialer.gets("ended")
    assert (ended["endReason"], bool(ended["message"])) == ("stream_lost", True)


async def test_a_page_comes_back_so_many_times_and_no_more(
    dialer: SteadyDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_call, "HEAR_WITHIN_S", 1.0)
    monkeypatch.setattr(dialer_call, "MOST_RETURNS", 1)
    await dialer.dial()
    await dialer.until_heard(100)
    dialer.lose_line()
    await dialer.come_back()
    await dialer.is_back()
    dialer.lose_line()
    await dialer.come_back()
    assert (await dialer.gets("refused"))["code"] == "connection_lost"
    assert await dialer.end(within_s=10) == ("failed", "stream_lost")


async def test_a_page_that_is_left_ends_its_call_at_once(dialer: SteadyDialer) -> None:
    await dialer.dial()
    await dialer.until_heard(200)
    assert dialer._socket is not None
    await dialer._socket.close(1001)
    assert await dialer.end() == ("failed", "stream_lost")


async def test_only_the_page_itself_takes_up_its_call(
    dialer: SteadyDialer, new_dialer: NewDialer, line: PhoneNumber
) -> None:
    def bob() -> str:
        return session_of("bob", line.organization)

    def charlie() -> str:
        return session_of("charlie", Organization.objects.create(name="Charlie's", slug="charlies"))

    await dialer.dial()
    await dialer.until_heard(200)
    call = await dialer.call()
    for make, code in ((bob, "refused"), (charlie, "not_allowed"), (lambda: "", "signed_out")):
        other = new_dialer(await in_a_thread(make), kind=Dialer)
        other.stream_sid = dialer.stream_sid
        other.others.append({"event": "call", "callId": str(call.pk)})
        await other.come_back()
        assert (await other.gets("refused"))["code"] == code
        assert await other.close_comes(within_s=10) == 1008
    for changes, code in (
        ({"received": "-1"}, "connection_lost"), ({"received": "9999"}, "connection_lost"),
        ({"received": "x" * 400}, "connection_lost"), ({"callId": "nonsense"}, "refused"),
    ):  # fmt: skip
        other = new_dialer(kind=Dialer)
        other.stream_sid = dialer.stream_sid
        other.others.append({"event": "call", "callId": str(call.pk)})
        await other.come_back(**changes)
        assert (await other.gets("refused"))["code"] == code
    another_tab = new_dialer(kind=Dialer)
    another_tab.others.append({"event": "call", "callId": str(call.pk)})
    another_tab.received = 1
    await another_tab.come_back()
    assert (await another_tab.gets("refused"))["code"] == "connection_lost"
    assert len(live_calls) == 1
    await dialer.hang_up()
    assert await dialer.end() == ("completed", "caller_hung_up")


async def test_a_process_that_does_not_carry_the_call_says_to_try_again(
    dialer: SteadyDialer, line: PhoneNumber
) -> None:
    def elsewhere() -> Call:
        owner = Call.objects.get().owner
        return Call.objects.create(
            organization=line.organization, owner=owner, kind="browser", state="connected", process="another"
        )

    await dialer.dial()
    await dialer.until_heard(100)
    call = await in_a_thread(elsewhere)
    dialer.lose_line()
    await dialer.come_back(callId=str(call.pk))
    assert await dialer.close_comes(within_s=10) == 1013
    await dialer.come_back()
    await dialer.is_back()
    await dialer.hang_up()
    assert await dialer.end() == ("completed", "caller_hung_up")
