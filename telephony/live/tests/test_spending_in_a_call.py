"""A visitor's call ends with a farewell before it costs more than was reserved for it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import Settings

from sessions.calls.models import Call
from sessions.visitors.models import VisitorCall
from sessions.visitors.services import model_of

from .conftest import call_of, end_of, in_a_thread
from .handset import Handset
from .scripted_provider import provider_that_requests

pytestmark = pytest.mark.asyncio


def reserve(call: Call, amount: str) -> None:
    version, organization = call.agent_version, call.organization
    assert version is not None
    assert organization is not None
    VisitorCall.objects.create(
        organization=organization, token_id="visitor", day=timezone.now().date(), model=model_of(version),
        longest_call_minutes=5, reserved_usd=Decimal(amount), call=call,
    )  # fmt: skip


async def test_the_agent_says_goodbye_when_only_that_is_still_paid_for(handset: Handset, settings: Settings) -> None:
    async with provider_that_requests() as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.ring()
        call = await call_of(handset)
        await in_a_thread(
            lambda: reserve(Call.objects.select_related("agent_version", "organization").get(pk=call.pk), "0.40")
        )
        await handset.open()
        await handset.start()
        assert await end_of(handset, within_s=20) == ("completed", "budget_used")
    call = await call_of(handset)
    assert call.cost_usd is not None
    assert call.cost_usd <= Decimal("0.40")
    assert call.usage["response gpt-realtime-2.1"]["audio_out"] == 40, "the greeting and the farewell"
