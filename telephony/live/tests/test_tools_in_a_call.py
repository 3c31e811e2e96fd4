"""Tools of a live call run beside the audio, return their output to the model, and finish when the caller hangs up."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pytest_django import Settings

from sessions.calls.models import ToolCall
from sessions.tools.services import run_tool
from telephony.live import gateway as gateways

from .conftest import call_of, end_of
from .handset import Handset
from .scripted_provider import provider_that_requests

pytestmark = pytest.mark.asyncio


async def test_every_tool_of_a_response_is_answered(handset: Handset, settings: Settings) -> None:
    tools: list[tuple[str, dict[str, object]]] = [
        ("get_opening_hours", {}),
        ("look_up_items", {"query": "pizza"}),
        ("no_such_tool", {"x": 1}),
    ]
    async with provider_that_requests(*tools) as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.dial()

        await provider.until_answered(3)

        assert sorted(output["ok"] for output in provider.outputs)[0] is False
        assert all(output["say"] for output in provider.outputs)
        await handset.hang_up()
        assert await end_of(handset) == ("completed", "caller_hung_up")
    call = await call_of(handset)
    assert await ToolCall.objects.filter(call=call).acount() == 3
    assert call.cost_usd is not None
    assert call.cost_usd > 0


async def test_a_slow_tool_does_not_hold_up_the_audio(
    handset: Handset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: Any, **kwargs: Any) -> Any:
        time.sleep(1)
        return run_tool(*args, **kwargs)

    monkeypatch.setattr(gateways, "run_tool", slow)
    async with provider_that_requests(("get_opening_hours", {})) as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.dial()
        assert await handset.hears_something(within_s=5)
        appended = provider.appended

        await asyncio.sleep(0.6)

        assert provider.appended - appended >= 25
        assert not provider.outputs
        await provider.until_answered(1)
        await handset.hang_up()
        await end_of(handset)


async def test_a_tool_that_is_running_when_the_caller_hangs_up_is_seen_through(
    handset: Handset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **kwargs: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.7)
        result = run_tool(*args, **kwargs)
        loop.call_soon_threadsafe(ended.set)
        return result

    monkeypatch.setattr(gateways, "run_tool", slow)
    async with provider_that_requests(("get_opening_hours", {})) as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.dial()
        await asyncio.wait_for(begun.wait(), 5)

        await handset.hang_up()

        assert await end_of(handset) == ("completed", "caller_hung_up")
        await asyncio.wait_for(ended.wait(), 5)
        assert provider.open_sockets == 0
    assert await ToolCall.objects.filter(call=await call_of(handset)).acount() == 1


async def test_a_tool_that_breaks_ends_the_call_with_the_fallback(
    handset: Handset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(gateways, "run_tool", breaks)
    async with provider_that_requests(("get_opening_hours", {})) as provider:
        settings.OPENAI_BASE_URL = provider.base_url
        await handset.dial()

        assert await end_of(handset) == ("failed", "lost_process")
