"""A carrier and an application for each test, on sockets of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from voiceapp.simulators.twilio import TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import ACCOUNT_SID, AUTH_TOKEN, FakeApplication


@pytest_asyncio.fixture
async def application() -> AsyncIterator[FakeApplication]:
    async with FakeApplication() as application:
        yield application


@pytest_asyncio.fixture
async def server() -> AsyncIterator[TwilioSimulator]:
    async with TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as server:
        yield server
