"""A caller speaks with a VAPI assistant, interrupts it, and has an appointment: nothing but audio goes in."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from sessions.appointments.models import Appointment
from sessions.calls.models import LIVE_STATES, Call, ToolCall, TranscriptLine, Turn
from telephony.vapi.models import VapiLeg
from telephony.vapi.webhooks import vapi_threads
from voiceapp.management.demo.garage import make_garage
from voiceapp.simulators.twilio import Number, TwilioSimulator
from voiceapp.simulators.vapi import VapiSimulator

from .conftest import ACCOUNT_SID, AUTH_TOKEN, in_a_thread

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.embedded, pytest.mark.waits, pytest.mark.timeout(240)]

KEY = "vapi-private-key"
STEPS = (
    {"say": "Hello, I need an oil change, please."},
    {"say": "On Thursday at nine.", "interrupt_after_ms": 1500},
    {"say": "My name is Alice Miller, and it is a Ford."},
    {"say": "Yes, that's right."},
    {"listen": True},
    {"hang_up": True},
)


async def test_an_appointment_is_booked_by_voice(product: str, settings: Settings) -> None:
    demo = await in_a_thread(make_garage)
    settings.VAPI_API_KEY, settings.VAPI_ASSISTANT_ID = KEY, ""
    settings.VAPI_SERVER_SECRET = "the-secret-of-the-server-url-0123456789"
    async with (
        VapiSimulator(keys=[KEY]) as vapi,
        TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as carrier,
    ):
        settings.VAPI_BASE_URL, settings.TWILIO_BASE_URL = vapi.base_url, carrier.base_url
        carrier.carrier.numbers[demo.number.number] = Number(
            voice_url=f"{product}/twiml/start", status_callback=f"{product}/twilio/call-status"
        )
        phone = await carrier.carrier.place_call(
            from_number="+4917612345678", to_number=demo.number.number, steps=STEPS, noise=False
        )
        async with asyncio.timeout(180):
            await phone.done()
            while (call := await Call.objects.aget(carrier_sid=phone.sid)).state in LIVE_STATES:
                await asyncio.sleep(0.05)
        await vapi.idle()
    vapi_threads.close()

    # Both hang up after the goodbye.
    assert (call.state, call.end_reason in ("caller_hung_up", "agent_hung_up")) == ("completed", True)
    appointment = await Appointment.objects.aget()
    assert (appointment.customer_name, appointment.vehicle) == ("Alice Miller", "Ford")
    tools = [tool.name async for tool in ToolCall.objects.filter(call=call).order_by("at")]
    assert tools.count("book_appointment") == 1
    lines = [line async for line in TranscriptLine.objects.filter(call=call)]
    assert lines[0].text.startswith("Hello, this is")
    assert any(line.is_cut for line in lines)
    assert call.interruptions
    assert await Turn.objects.filter(call=call, response_ms__isnull=False).acount() >= 3
    assert await VapiLeg.objects.filter(call=call).acount() == 1
    await sync_to_async(connections.close_all)()
