from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.caller import KEY


@pytest_asyncio.fixture
async def vapi() -> AsyncIterator[VapiSimulator]:
    async with VapiSimulator(keys=[KEY]) as simulator:
        yield simulator
