"""Visitors of a public page call over WebRTC, too: each with a token for one call, within the day's budget."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from websockets.exceptions import InvalidStatus

from agents.call_page.models import CallAccess, CallPage
from agents.organizations.models import Organization
from telephony.twilio.models import PhoneNumber
from voiceapp.console.call_page.visitor_tokens import VisitorToken

from .browser import page
from .conftest import Provider, comes_true

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def opened(organization: Organization, budget: str = "10") -> str:
    """The page is public now: a visitor's token."""
    await CallPage.objects.aupdate_or_create(
        organization=organization,
        defaults={"who_may_call": CallAccess.LINK, "daily_budget_usd": Decimal(budget)},
    )
    return VisitorToken.issue(organization.pk)[0]


async def test_a_visitor_calls_and_sees_no_cost(line: PhoneNumber, product: str, openai: Provider) -> None:
    organization = await Organization.objects.aget(pk=line.organization_id)
    token = await opened(organization)
    async with page(product, slug=organization.slug, visitor=token) as tab:
        await tab.dial()
        await tab.caller.until("output_audio_buffer.started")
        progress = await tab.shows(state="connected")
        assert not {"cost", "logUrl"} & progress.keys()
        assert (await tab.call()).owner.startswith("visitor_")
        async with page(product, slug=organization.slug, visitor=await opened(organization)) as other:
            other.details = tab.details
            with pytest.raises(InvalidStatus):
                await other.listen()
        again = await tab.request()
        assert (again.status_code, again.json()["error_code"]) == (409, "token_used")
        await tab.send("end")
        await tab.ended()
    assert await asyncio.to_thread(comes_true, lambda: openai.server.live_calls == 0, 5)
    await sync_to_async(connections.close_all)()


async def test_over_the_budget_no_secret_is_minted(line: PhoneNumber, product: str, openai: Provider) -> None:
    organization = await Organization.objects.aget(pk=line.organization_id)
    async with page(product, slug=organization.slug, visitor=await opened(organization, "0")) as tab:
        response = await tab.request()
        assert (response.status_code, response.json()["error_code"]) == (429, "budget_used")
        assert "midnight" in response.json()["message"]
        assert response.headers["Retry-After"]
    await sync_to_async(connections.close_all)()
