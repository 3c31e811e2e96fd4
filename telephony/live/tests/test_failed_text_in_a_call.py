"""A text that fails while the caller is on the phone: the agent gets a note of it, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from sessions.messages.outbox import outbox
from sessions.messages.texts.models import Text, TextSettings
from sessions.messages.texts.services.queueing import TOPIC
from telephony.twilio.models import PhoneNumber
from voiceapp.simulators.tests.in_thread import in_thread
from voiceapp.simulators.twilio import TwilioSimulator

from .conftest import ACCOUNT_SID, AUTH_TOKEN, call_of, in_a_thread, kinds_of
from .handset import Handset
from .scripted_provider import provider_that_requests

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]


@pytest.fixture
def carrier() -> Iterator[TwilioSimulator]:
    with in_thread(TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)) as simulator:
        yield simulator


async def test_a_text_that_is_not_delivered_is_told_to_the_caller(
    handset: Handset,
    line: PhoneNumber,
    settings: Settings,
    carrier: TwilioSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "wake_up", lambda topic: None)
    settings.TWILIO_BASE_URL = f"{carrier.base_url}/fault/texts=landline_late"
    await TextSettings.objects.acreate(
        organization=line.organization, menu_url="https://example.com/menu", countries="DE"
    )
    async with provider_that_requests(("send_text", {"about": "menu"})) as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.dial()
        await provider.until_answered(1, within_s=10)
        assert provider.outputs[0]["say"] == "The text message is on its way to your phone."

        assert await in_a_thread(lambda: outbox.process_due([TOPIC])) == 1

        async with asyncio.timeout(15):
            while "note_given" not in await kinds_of(handset):
                await asyncio.sleep(0.1)
        await handset.hang_up()
    call = await call_of(handset)
    text = await Text.objects.aget(call=call)
    assert (text.reason, text.error_code) == ("landline", 30006)
    assert "text_failed" in await kinds_of(handset)
