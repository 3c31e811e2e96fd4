"""Our own code fails in the middle of a call: that call goes to the fallback, and the other calls continue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from telephony.bridge.phone_call import PhoneCall

from .conftest import Provider, call_of, end_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


def boom(*_: object, **__: object) -> None:
    raise RuntimeError("a bug of ours")


@pytest.mark.parametrize("place", ["__init__", "caller_frame", "agent_frame", "link_opened", "time_passed"])
async def test_an_exception_anywhere_ends_the_call_with_the_fallback(
    handset: Handset, openai: Provider, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    await handset.ring()
    await handset.open()
    monkeypatch.setattr(PhoneCall, place, boom)

    await handset.start()

    assert await handset.close_comes(within_s=5) == 1000
    assert await end_of(handset, within_s=5) == ("failed", "lost_process")
    monkeypatch.undo()
    assert (await handset.post_webhook("/twiml/after"))[0].tag in ("Say", "Dial")


async def test_another_call_goes_on(
    handset: Handset, new_handset: Callable[[], Handset], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_handset()
    await other.dial()
    assert await other.hears_something(within_s=5)
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    time_passed = PhoneCall.time_passed
    broken: list[PhoneCall] = []

    def breaks_once(self: PhoneCall, now_ms: int) -> None:
        if not broken:
            broken.append(self)
            raise RuntimeError("a bug of ours")
        time_passed(self, now_ms)

    monkeypatch.setattr(PhoneCall, "time_passed", breaks_once)
    await asyncio.sleep(1)

    states = sorted([(await call_of(each)).state for each in (handset, other)])
    assert states == ["connected", "failed"]
