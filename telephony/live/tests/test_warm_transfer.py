"""Warm transfers over real sockets: phones of the simulator of Twilio, the product, a provider that requests them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings
from websockets.asyncio.server import ServerConnection, serve

from agents.transfers.models import CallerId, IfNobody, TransferMode, TransferTarget
from sessions.calls.models import LIVE_STATES, Call
from telephony.twilio.models import PhoneNumber
from telephony.twilio.transfers.advance import advance_all
from telephony.twilio.transfers.models import Transfer, TransferAttempt
from voiceapp.simulators.twilio import Behavior, Number, SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.leg import CallLeg

from .conftest import ACCOUNT_SID, AUTH_TOKEN, in_a_thread
from .scripted_provider import ScriptedProvider, url_of

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.embedded, pytest.mark.waits]

CALLER = "+4917612345678"
ANNA, BEN = "+493055555551", "+493055555552"


class RemembersItems(ScriptedProvider):
    """A provider that also keeps what each session was sent, and which tools the first one requests."""

    def __init__(self, tools: list[tuple[str, Mapping[str, object]]]) -> None:
        super().__init__(tools)
        self.sessions: list[list[dict[str, Any]]] = []

    async def __call__(self, socket: ServerConnection) -> None:
        self.sessions.append([])
        await super().__call__(socket)

    async def _hear(self, socket: ServerConnection, event: dict[str, Any]) -> None:
        if event["type"] in ("conversation.item.create", "response.create"):
            self.sessions[-1].append(event)
        await super()._hear(socket, event)


@dataclass
class Shop:
    """The garage: its carrier, its agent's provider, and its people."""

    carrier: TwilioSimulator
    provider: RemembersItems
    line: PhoneNumber
    calls: list[SimulatedCall] = field(default_factory=list)

    def person(self, number: str, behaves: Behavior, **details: Any) -> None:
        self.carrier.carrier.numbers[number] = Number(behaves=behaves, **details)

    async def ring(self, *steps: Mapping[str, object], faults: Sequence[str] = ()) -> SimulatedCall:
        call = await self.carrier.carrier.place_call(
            from_number=CALLER, to_number=self.line.number, steps=steps, faults=faults, noise=False
        )
        self.calls.append(call)
        return call

    def legs_to(self, number: str) -> list[CallLeg]:
        return [leg for leg in self.carrier.carrier.legs() if leg.plan.to_number == number]

    async def until_no_leg_is_open(self, *, within_s: float = 20) -> None:
        async with asyncio.timeout(within_s):
            while self.carrier.carrier.open_legs():
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def shop(line: PhoneNumber, product: str, settings: Settings) -> AsyncIterator[Shop]:
    await PhoneNumber.objects.filter(pk=line.pk).aupdate(label="Garage")
    async with (
        TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as carrier,
        provider_that_transfers() as provider,
        a_worker(),
    ):
        settings.TWILIO_BASE_URL = carrier.base_url
        settings.OPENAI_BASE_URL = provider.base_url
        settings.TRANSFER_RING_S = 3
        carrier.carrier.numbers[line.number] = Number(
            voice_url=f"{product}/twiml/start", status_callback=f"{product}/twilio/call-status"
        )
        yield Shop(carrier, provider, line)
    # The thread of the asynchronous ORM keeps its connection for ever, and with it SQLite's files.
    await sync_to_async(connections.close_all)()


@asynccontextmanager
async def provider_that_transfers() -> AsyncIterator[RemembersItems]:
    request = ("transfer_call", {"target": "anna", "reason": "The brakes squeal."})
    provider = RemembersItems([request])
    async with serve(provider, "127.0.0.1", 0, compression=None) as server:
        provider.base_url = url_of(server)
        yield provider


@asynccontextmanager
async def a_worker() -> AsyncIterator[None]:
    """What the worker does when it is woken up, and every few seconds."""

    async def work() -> None:
        while True:
            await in_a_thread(advance_all)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(work())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def target(line: PhoneNumber, slug: str, number: str, **details: Any) -> TransferTarget:
    given = {"department": "Workshop", "mode": TransferMode.WARM, "if_nobody": IfNobody.AGENT} | details
    return await TransferTarget.objects.acreate(
        organization_id=line.organization_id, slug=slug, name=slug.title(), number=number, **given
    )


async def over(call: SimulatedCall, *, within_s: float = 40) -> Call:
    """The call once it is over, at the carrier and with us."""
    async with asyncio.timeout(within_s):
        await call.done()
        while (stored := await Call.objects.aget(carrier_sid=call.sid)).state in LIVE_STATES:
            await asyncio.sleep(0.05)
    return stored


async def outcomes(call: Call) -> list[tuple[str, str]]:
    attempts = TransferAttempt.objects.filter(transfer__call=call).order_by("transfer__created_at", "position")
    return [(attempt.slug, attempt.state) async for attempt in attempts]


async def kinds(call: Call) -> list[str]:
    return [event.kind async for event in call.events.all()]


def said_by(leg: CallLeg) -> bytes:
    """200 ms from the middle of what this person said last."""
    spoken = leg.line.voice.spoken[-1]
    assert spoken.began_ms is not None
    assert spoken.ended_ms is not None
    middle = (spoken.began_ms + spoken.ended_ms) // 2 * 8
    return bytes(leg.line.said[middle : middle + 1600])


def texts_said_to(leg: CallLeg) -> str:
    return " ".join(str(event.details["text"]) for event in leg.log.events if event.what == "twilio_says")


async def test_a_person_hears_the_summary_presses_1_and_talks_to_the_caller(shop: Shop) -> None:
    await target(shop.line, "anna", ANNA)
    shop.person(ANNA, Behavior.ACCEPT, says="Hello, this is the workshop speaking.", stays_s=3)
    call = await shop.ring()
    async with asyncio.timeout(30):
        while not (legs := shop.legs_to(ANNA)) or not legs[0].line.voice.spoken:
            await asyncio.sleep(0.05)
        await legs[0].line.until(lambda: legs[0].line.voice.spoken[-1].is_done)
    await call.person.say("My brakes squeal.", listens=False)
    stored = await over(call)
    await shop.until_no_leg_is_open()

    (anna,) = shop.legs_to(ANNA)
    assert said_by(anna) in bytes(call.line.heard)
    assert said_by(call) in bytes(anna.line.heard)
    summary = texts_said_to(anna)
    assert "The brakes squeal" in summary
    assert "4 9 1 7 6 1 2 3 4 5 6 7 8" in summary
    assert "Press 1" in summary
    assert anna.plan.from_number == shop.line.number
    assert (stored.state, stored.end_reason, stored.transferred_to) == ("completed", "transferred", "Anna")
    transfer = await Transfer.objects.aget(call=stored)
    assert transfer.state == "talked"
    assert transfer.talk_s is not None
    assert 1 <= transfer.talk_s <= 15
    recorded = await kinds(stored)
    for kind in ("stream_over", "transfer_accepted", "transfer_joined", "transfer_over", "ended"):
        assert recorded.count(kind) == 1, recorded
    assert "hold the line" in texts_said_to(call)
    assert call.report.notices == []
    assert anna.log.notices == []


async def test_who_declines_is_followed_by_the_next_and_then_the_caller_is_back_with_the_agent(shop: Shop) -> None:
    await target(shop.line, "anna", ANNA)
    await target(shop.line, "ben", BEN, position=1)
    shop.person(ANNA, Behavior.DECLINE)
    shop.person(BEN, Behavior.NO_ANSWER)
    call = await shop.ring()
    async with asyncio.timeout(40):
        while len(shop.provider.sessions) < 2 or not any(
            event["type"] == "response.create" for event in shop.provider.sessions[1]
        ):
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    call.person.hang_up()
    stored = await over(call)
    await shop.until_no_leg_is_open()

    assert await outcomes(stored) == [("anna", "declined"), ("ben", "no_answer")]
    assert (stored.state, stored.end_reason) == ("completed", "caller_hung_up")
    assert (await kinds(stored)).count("agent_back") == 1
    items = [event["item"] for event in shop.provider.sessions[1] if event["type"] == "conversation.item.create"]
    outputs = [json.loads(item["output"]) for item in items if item["type"] == "function_call_output"]
    assert (
        outputs[-1]["result"] == "Nobody took the call: Anna declined. Ben did not answer. The caller is back with you."
    )
    assert "Beep." in json.dumps(items), "the conversation so far"
    (greeting,) = [event for event in shop.provider.sessions[1] if event["type"] == "response.create"][:1]
    assert "Anna cannot take your call" in json.dumps(greeting)
    assert len(call.log.streams) == 2
    lines = [line async for line in stored.lines.all()]
    assert len({line.item_id for line in lines}) == len(lines) >= 3
    assert [line.spoken_at_ms for line in lines] == sorted(line.spoken_at_ms for line in lines)


async def test_a_voicemail_cannot_take_the_call_and_a_message_is_taken(shop: Shop) -> None:
    await target(shop.line, "anna", ANNA, if_nobody=IfNobody.MESSAGE)
    shop.person(ANNA, Behavior.VOICEMAIL)
    call = await shop.ring()
    async with asyncio.timeout(60):
        while "leave a message" not in texts_said_to(call):
            await asyncio.sleep(0.05)
    call.person.hang_up()
    stored = await over(call)
    await shop.until_no_leg_is_open()

    assert await outcomes(stored) == [("anna", "not_accepted")]
    assert (stored.state, stored.end_reason) == ("completed", "nobody_there")


@pytest.mark.parametrize("answered", [False, True])
async def test_the_caller_hangs_up_on_hold_and_no_leg_stays_open(shop: Shop, answered: bool) -> None:
    await target(shop.line, "anna", ANNA)
    shop.person(ANNA, Behavior.ACCEPT if answered else Behavior.NO_ANSWER, answers_after_ms=300)
    call = await shop.ring()
    async with asyncio.timeout(20):
        while not (legs := shop.legs_to(ANNA)) or (answered and not texts_said_to(legs[0])):
            await asyncio.sleep(0.05)
    call.person.hang_up()
    stored = await over(call)
    await shop.until_no_leg_is_open()

    assert await outcomes(stored) == [("anna", "canceled")]
    assert (stored.state, stored.end_reason) == ("completed", "caller_hung_up")
    transfer = await Transfer.objects.aget(call=stored)
    assert (transfer.state, transfer.talk_s) == ("caller_left", None)


async def test_who_hangs_up_while_the_summary_plays_is_followed_by_the_next(shop: Shop) -> None:
    await target(shop.line, "anna", ANNA)
    await target(shop.line, "ben", BEN, position=1)
    shop.person(ANNA, Behavior.HANG_UP, stays_s=0.5)
    shop.person(BEN, Behavior.ACCEPT, stays_s=0.5)
    call = await shop.ring()
    stored = await over(call)
    await shop.until_no_leg_is_open()

    assert await outcomes(stored) == [("anna", "not_accepted"), ("ben", "accepted")]
    assert (stored.end_reason, stored.transferred_to) == ("transferred", "Ben")


async def test_a_leg_that_is_answered_too_late_is_hung_up(shop: Shop, settings: Settings) -> None:
    settings.TWILIO_BASE_URL += "/fault/answers_late=9000"
    settings.TRANSFER_RING_S = 1
    await target(shop.line, "anna", ANNA)
    shop.person(ANNA, Behavior.ACCEPT)
    call = await shop.ring()
    async with asyncio.timeout(40):
        while len(shop.provider.sessions) < 2:
            await asyncio.sleep(0.05)
        while not shop.legs_to(ANNA)[0].is_done:
            await asyncio.sleep(0.05)
    call.person.hang_up()
    stored = await over(call)

    assert await outcomes(stored) == [("anna", "no_answer")]
    assert texts_said_to(shop.legs_to(ANNA)[0]) == ""


async def test_a_conference_that_is_refused_brings_the_caller_back(shop: Shop, settings: Settings) -> None:
    settings.TWILIO_BASE_URL += "/fault/conference_refused"
    await target(shop.line, "anna", ANNA)
    shop.person(ANNA, Behavior.ACCEPT)
    call = await shop.ring()
    async with asyncio.timeout(40):
        while len(shop.provider.sessions) < 2:
            await asyncio.sleep(0.05)
    call.person.hang_up()
    stored = await over(call)
    await shop.until_no_leg_is_open()

    (attempt,) = [each async for each in TransferAttempt.objects.filter(transfer__call=stored)]
    assert (attempt.state, attempt.failure) == ("failed", "conference_refused")
    assert "could not connect you" in texts_said_to(shop.legs_to(ANNA)[0])


@pytest.mark.parametrize(("fault", "shown"), [("", [CALLER]), ("/fault/caller_id_refused=21212", ["the line's"])])
async def test_the_callers_own_number_is_shown_or_once_more_the_organizations(
    shop: Shop, settings: Settings, fault: str, shown: list[str]
) -> None:
    settings.TWILIO_BASE_URL += fault
    await target(shop.line, "anna", ANNA, caller_id=CallerId.CALLER)
    shop.person(ANNA, Behavior.ACCEPT, stays_s=0.3)
    call = await shop.ring()
    stored = await over(call)
    await shop.until_no_leg_is_open()

    numbers = [leg.plan.from_number for leg in shop.legs_to(ANNA)]
    assert numbers == [shop.line.number if each == "the line's" else each for each in shown]
    states = [state for _, state in await outcomes(stored)]
    assert states == (["refused", "accepted"] if fault else ["accepted", "planned"])


async def test_without_the_rest_api_the_caller_is_back_with_the_agent(shop: Shop, settings: Settings) -> None:
    settings.TWILIO_BASE_URL += "/fault/rest_500"
    await target(shop.line, "anna", ANNA)
    shop.person(ANNA, Behavior.ACCEPT)
    call = await shop.ring()
    async with asyncio.timeout(40):
        while len(shop.provider.sessions) < 2:
            await asyncio.sleep(0.05)
    call.person.hang_up()
    stored = await over(call)

    assert await outcomes(stored) == [("anna", "failed")]
    assert shop.legs_to(ANNA) == []
