"""A browser's dialer over real sockets: the same call as a phone's, and what its page gets beside it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from websockets.exceptions import InvalidStatus

from agents.call_page.models import CallAccess, CallPage
from agents.configuration.models import Agent
from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call, TranscriptLine
from telephony.live import dialer_call, live_call
from telephony.live.registry import live_calls
from telephony.twilio.models import PhoneNumber
from telephony.twilio.services.lost_calls import close_lost_calls
from voiceapp.console.call_page.dialer import consumers
from voiceapp.console.call_page.visitor_tokens import VisitorToken
from voiceapp.core.serving import process_name

from .conftest import Provider, in_a_thread
from .dialer import Dialer, session_of
from .scripted_provider import provider_that_requests
from .served import served
from .test_admission import GARBAGE

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

NewDialer = Callable[..., Dialer]


@pytest_asyncio.fixture
async def new_dialer(line: PhoneNumber, product: str) -> AsyncIterator[NewDialer]:
    """Alice's, unless it is said whose."""
    made: list[Dialer] = []
    alice = await in_a_thread(lambda: session_of("alice", line.organization))

    def make(session: str = alice, base_url: str = product) -> Dialer:
        dialer = Dialer(base_url, line.organization.slug, session=session)
        made.append(dialer)
        return dialer

    yield make
    await asyncio.gather(*(dialer.put_away() for dialer in made))
    await sync_to_async(connections.close_all)()


@pytest.fixture
def dialer(new_dialer: NewDialer) -> Dialer:
    return new_dialer()


async def refusal_of(dialer: Dialer) -> tuple[str, str]:
    """Code and message with which the call was not taken."""
    await dialer.dial()
    frame = await dialer.gets("refused")
    assert await dialer.close_comes(within_s=3) == 1008
    return frame["code"], frame["message"]


# The call


async def test_alice_hears_the_greeting_and_hangs_up(dialer: Dialer, line: PhoneNumber) -> None:
    await dialer.dial()
    call = await dialer.call()
    assert (call.kind, call.state, call.organization_id) == ("browser", "connected", line.organization_id)
    assert (call.carrier_sid, call.process) == (None, process_name())
    assert await dialer.hears_something(within_s=5)

    await dialer.hang_up()

    assert dialer.close_code == 1000
    assert await dialer.gets("ended") == {
        "event": "ended", "streamSid": dialer.stream_sid, "endReason": "caller_hung_up", "message": "",
    }  # fmt: skip
    assert await dialer.end() == ("completed", "caller_hung_up")


async def test_the_page_gets_what_is_said_and_how_it_was_cut(dialer: Dialer) -> None:
    await dialer.dial()
    caption = (await dialer.gets("caption"))["caption"]
    assert caption == {
        "id": caption["id"], "who": "agent", "text": "Hello! How can I help you?", "isFinal": True,
        "wasInterrupted": False,
    }  # fmt: skip
    growing = [each["caption"] for each in dialer.others if each["event"] == "caption"]
    growing = growing[: growing.index(caption)]
    assert growing
    assert all(not each["isFinal"] and caption["text"].startswith(each["text"]) for each in growing)
    await dialer.hang_up()
    last = [each["caption"] for each in dialer.others if each["event"] == "caption"][-1]
    line = await TranscriptLine.objects.aget(call=await dialer.call(), item_id=caption["id"])
    assert (last["id"], last["text"], last["wasInterrupted"]) == (caption["id"], line.text, line.is_cut)
    assert line.is_cut


async def test_a_key_is_a_turn(dialer: Dialer) -> None:
    await dialer.dial()
    assert await dialer.hears_something(within_s=5)
    await dialer.press("7")
    async with asyncio.timeout(5):
        while not any(each.get("caption", {}).get("who") == "caller" for each in dialer.others):
            await asyncio.sleep(0.02)
    await dialer.hang_up()
    said = TranscriptLine.objects.filter(call=await dialer.call(), speaker="caller")
    assert [line.text async for line in said] == ["[The caller pressed 7]"]


async def test_what_is_typed_is_a_turn_and_the_button_interrupts(dialer: Dialer) -> None:
    await dialer.dial()
    await dialer.gets("caption")
    assert await dialer.hears_something(within_s=5)
    await dialer.send({"event": "interrupt"})
    async with asyncio.timeout(5):
        while not any(each.get("caption", {}).get("wasInterrupted") for each in dialer.others):
            await asyncio.sleep(0.02)
    await dialer.send({"event": "say", "text": "What do you have?"})
    async with asyncio.timeout(5):
        while not any(each.get("caption", {}).get("who") == "caller" for each in dialer.others):
            await asyncio.sleep(0.02)
    await dialer.hang_up()
    said = TranscriptLine.objects.filter(call=await dialer.call(), speaker="caller")
    assert [line.text async for line in said] == ["What do you have?"]


async def test_a_browser_is_not_transferred(dialer: Dialer, line: PhoneNumber, settings: Settings) -> None:
    await TransferTarget.objects.acreate(organization=line.organization, name="Anna", slug="anna", number="+493012345")
    async with provider_that_requests(("transfer_call", {"target": "anna"})) as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await dialer.dial()
        await provider.until_answered(1)
        assert provider.outputs[0]["ok"] is False
        assert provider.outputs[0]["say"].endswith("this call comes from a browser. Please ring +49 30 12345678.")
        assert [each["name"] for each in dialer.others if each["event"] == "tool"] == ["transfer_call", ""]
        assert (await dialer.gets("progress"))["progress"]["state"] == "connected"
        await dialer.hang_up()
    assert await dialer.end() == ("completed", "caller_hung_up")


async def test_a_socket_that_vanishes_is_a_lost_stream(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_call, "HEAR_WITHIN_S", 1.0)
    await dialer.dial()
    assert await dialer.hears_something(within_s=5)
    dialer.vanish()
    assert await dialer.end() == ("failed", "stream_lost")


async def test_a_provider_that_is_gone_is_said_in_words(dialer: Dialer, openai: Provider, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-of-nobody"
    await dialer.dial()
    ended = await dialer.gets("ended", within_s=15)
    assert ended["endReason"] in ("provider_refused", "provider_failed")
    assert "this line cannot" in ended["message"]


# Who may open it


@pytest.mark.parametrize("origin", ["", "https://elsewhere.example.com", "null"])
async def test_a_page_of_another_site_is_answered_403(dialer: Dialer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await dialer.open(Origin=origin)
    assert refusal.value.response.status_code == 403


async def test_whoever_is_signed_out_reads_so(new_dialer: NewDialer, openai: Provider) -> None:
    for session in ("", "nonsense", "x" * 4000):
        code, message = await refusal_of(new_dialer(session))
        assert code == "signed_out"
        assert "Sign in again" in message
    assert openai.connections == 0


async def test_a_session_that_ran_out_begins_no_call(dialer: Dialer) -> None:
    await Session.objects.aupdate(expire_date=timezone.now())
    assert (await refusal_of(dialer))[0] == "signed_out"
    assert not await Call.objects.aexists()


async def test_a_stranger_gets_no_call(new_dialer: NewDialer) -> None:
    def charlie() -> str:
        return session_of("charlie", Organization.objects.create(name="Charlie's", slug="charlies"))

    assert (await refusal_of(new_dialer(await in_a_thread(charlie))))[0] == "not_allowed"
    assert not await Call.objects.aexists()


async def test_a_visitor_calls_once_where_the_page_is_public(new_dialer: NewDialer, line: PhoneNumber) -> None:
    page = await CallPage.objects.acreate(organization=line.organization, who_may_call=CallAccess.LINK)
    token, visitor = VisitorToken.issue(line.organization_id)
    first, second, later = (new_dialer("") for _ in range(3))
    first.visitor_token = second.visitor_token = token
    await first.dial()
    assert (await first.call()).owner == f"visitor_{visitor.id}"
    assert await first.hears_something(within_s=5)
    assert (await refusal_of(second))[0] == "refused"  # the token has begun a call
    await first.hang_up()
    assert await first.end() == ("completed", "caller_hung_up")

    page.who_may_call = CallAccess.STAFF
    await page.asave()
    later.visitor_token = VisitorToken.issue(line.organization_id)[0]
    assert (await refusal_of(later))[0] == "not_allowed"


async def test_an_agent_that_cannot_answer_says_why(new_dialer: NewDialer, line: PhoneNumber) -> None:
    agents = Agent.objects.filter(organization=line.organization)
    for changes, words in (
        ({"is_paused": True}, "paused"),
        ({"published_version": None}, "not published"),
        ({"is_default": False}, "default"),
    ):
        await agents.aupdate(**changes)
        code, message = await refusal_of(new_dialer())
        assert code == "refused"
        assert words in message


# Limits


async def test_one_user_has_two_calls_at_once(new_dialer: NewDialer) -> None:
    for dialer in (new_dialer(), new_dialer()):
        await dialer.dial()
        await dialer.call()
    assert (await refusal_of(new_dialer()))[1].startswith("You have two calls already.")


async def test_the_maximum_of_the_organization_and_of_the_process_hold(
    new_dialer: NewDialer, line: PhoneNumber, settings: Settings
) -> None:
    first = new_dialer()
    await first.dial()
    await first.call()
    await Organization.objects.filter(pk=line.organization_id).aupdate(max_live_calls=1)
    assert (await refusal_of(new_dialer()))[1].startswith("All lines are busy.")
    await Organization.objects.filter(pk=line.organization_id).aupdate(max_live_calls=10)
    settings.MAX_LIVE_CALLS = 1
    assert (await refusal_of(new_dialer()))[1].startswith("All lines are busy.")


async def test_an_address_has_few_sockets_without_a_call(new_dialer: NewDialer) -> None:
    for _ in range(10):
        await new_dialer().open()
    with pytest.raises(InvalidStatus):
        await new_dialer().open()


# Hostile frames


async def test_a_start_that_never_comes_is_closed_with_1008(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "START_WITHIN_S", 0.3)
    await dialer.open()
    assert await dialer.close_comes(within_s=3) == 1008


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000, "channels": 1}},
        {"streamSid": ""},
        {"streamSid": "M" * 501},
    ],
)
async def test_a_start_of_another_form_is_closed_with_1008(dialer: Dialer, changes: dict[str, object]) -> None:
    await dialer.open()
    await dialer.start(**changes)
    assert await dialer.close_comes(within_s=3) == 1008
    assert not await Call.objects.aexists()


async def test_twenty_frames_of_garbage_before_start_are_closed_with_1007(dialer: Dialer) -> None:
    await dialer.open()
    for number in range(20):
        await dialer.send(GARBAGE[number % len(GARBAGE)])
    assert await dialer.close_comes(within_s=3) == 1007


async def test_twenty_frames_of_garbage_in_a_call_are_closed_with_1007(dialer: Dialer) -> None:
    await dialer.dial()
    assert await dialer.hears_something(within_s=5)
    for number in range(20):
        await dialer.send(GARBAGE[number % len(GARBAGE)])
    assert await dialer.close_comes(within_s=3) == 1007
    assert await dialer.end() == ("failed", "stream_lost")


async def test_a_little_garbage_and_strange_frames_do_not_end_a_call(dialer: Dialer) -> None:
    await dialer.open()
    await dialer.send({"event": "media", "media": {"payload": "////"}})  # before the start
    await dialer.start()
    for frame in (*GARBAGE, json.dumps({"event": "from_the_future"})):
        await dialer.send(frame)
    assert await dialer.hears_something(within_s=5)
    await dialer.hang_up()
    assert await dialer.end() == ("completed", "caller_hung_up")


async def test_a_frame_over_64_kib_is_closed_with_1009(dialer: Dialer) -> None:
    await dialer.dial()
    await dialer.call()
    await dialer.send("x" * 65_537)
    # The server reads no further: where the rest of the frame comes later, a reset overtakes the code.
    assert await dialer.close_comes(within_s=10) in (1009, None)
    assert await dialer.end() == ("failed", "stream_lost")


async def test_a_second_start_is_closed_with_1008(dialer: Dialer) -> None:
    await dialer.dial()
    assert await dialer.hears_something(within_s=5)
    await dialer.send_start()
    assert await dialer.close_comes(within_s=3) == 1008
    assert await dialer.end() == ("failed", "stream_lost")


async def test_a_page_that_sends_more_than_a_caller_can_say_is_closed_with_1008(
    dialer: Dialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialer_call, "MOST_AT_ONCE", 10 * dialer_call.FRAME_CHARACTERS)
    await dialer.dial()
    assert await dialer.hears_something(within_s=5)
    second = json.dumps({"event": "media", "media": {"track": "inbound", "payload": "/" * 10_664}})
    for _ in range(10):
        await dialer.send(second)
    assert await dialer.close_comes(within_s=3) == 1008
    assert await dialer.end() == ("failed", "stream_lost")


# The server stops


async def test_a_draining_server_takes_no_call_and_says_so(new_dialer: NewDialer) -> None:
    live_calls.start_draining()
    assert (await refusal_of(new_dialer()))[1].startswith("The server is restarting.")


async def test_at_the_end_of_the_drain_the_page_reads_why(new_dialer: NewDialer, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port, DRAIN_BUDGET_S=1) as server:
        dialer = new_dialer(base_url=server.address)
        await dialer.dial()
        assert await dialer.hears_something(within_s=5)
        server.send(signal.SIGTERM)
        assert await dialer.close_comes(within_s=8) == 1000
        assert (await dialer.gets("ended"))["message"].startswith("The server is restarting.")
        assert await server.exit_status(within_s=10) == 0
    assert await dialer.end() == ("failed", "server_stopping")


async def test_the_reaper_ends_a_call_whose_process_is_lost(line: PhoneNumber) -> None:
    def lost() -> Call:
        return Call.objects.create(
            organization=line.organization, kind="browser", state="connected", connected_at=timezone.now(),
            lease_expires_at=timezone.now(),
        )  # fmt: skip

    call = await in_a_thread(lost)
    assert await in_a_thread(close_lost_calls) == 1
    await call.arefresh_from_db()
    assert (call.state, call.end_reason) == ("failed", "lost_process")
    await sync_to_async(connections.close_all)()
