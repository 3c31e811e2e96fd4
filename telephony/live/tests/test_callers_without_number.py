"""Whole calls over the simulator of Twilio by callers without a number: they too are transferred to a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from agents.transfers.models import TransferTarget
from sessions.calls.models import Call
from telephony.twilio.models import PhoneNumber
from voiceapp.simulators.twilio import Number, TwilioSimulator

from .conftest import ACCOUNT_SID, AUTH_TOKEN, Provider

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.embedded]

DESK = "+493055555555"
SIP_DOMAIN = "sip:host@alices.sip.twilio.com"


@pytest_asyncio.fixture
async def carrier(
    line: PhoneNumber, product: str, settings: Settings, openai: Provider
) -> AsyncIterator[TwilioSimulator]:
    """The line at the carrier, and a front desk that answers. The agent fails at once: every call falls back to it."""
    settings.OPENAI_BASE_URL = openai.url("refuse=403")
    await TransferTarget.objects.acreate(
        organization_id=line.organization_id, slug="desk", name="Desk", number=DESK, is_fallback=True
    )
    async with TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as server:
        server.carrier.numbers[line.number] = Number(voice_url=f"{product}/twiml/start?orgId={line.organization_id}")
        server.carrier.numbers[DESK] = Number(says="Hello, the desk.", stays_s=0.2)
        yield server
    # The thread of the asynchronous ORM keeps its connection for ever, and with it SQLite's files.
    await sync_to_async(connections.close_all)()


@pytest.mark.parametrize(
    ("caller", "dialed"),
    [
        ("sip:alice@shop.sip.twilio.com", SIP_DOMAIN),
        ("client:browser_7", "client:host"),
        ("anonymous", ""),
        ("+266696687", SIP_DOMAIN),
    ],
)
async def test_who_has_no_number_is_handed_over_with_the_organizations(
    caller: str, dialed: str, carrier: TwilioSimulator, line: PhoneNumber
) -> None:
    voice_url = carrier.carrier.numbers[line.number].voice_url
    call = await carrier.carrier.place_call(
        from_number=caller, to_number=dialed or line.number, voice_url=voice_url, noise=False
    )
    async with asyncio.timeout(30):
        report = await call.done()
    assert report.notices == []
    (rung,) = report.dialed
    assert [leg.plan.from_number for leg in carrier.carrier.legs() if leg.sid == rung.sid] == [line.number]
    stored = await Call.objects.aget(carrier_sid=call.sid)
    assert stored.transferred_to == "Desk"
    assert stored.caller_number == caller
