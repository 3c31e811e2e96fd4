"""The database is slow or unreachable: the audio continues, and the call's end is stored once it is back."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from sessions.calls.end_reasons import EndReason
from sessions.calls.services import finish_call
from telephony.live import gateway as gateways

from .conftest import Provider, call_of, comes_true, end_of, in_a_thread, kinds_of
from .handset import Handset

pytestmark = [
    pytest.mark.waits,
    pytest.mark.asyncio,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="holds SQLite's one write lock"),
]


@contextlib.contextmanager
def writes_blocked() -> Iterator[None]:
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_the_greeting_is_heard_while_nothing_can_be_written(handset: Handset) -> None:
    await handset.dial()
    await asyncio.sleep(0.2)
    with writes_blocked():
        assert await handset.hears_something(within_s=5)
        heard = len(handset.heard)
        assert await asyncio.to_thread(comes_true, lambda: len(handset.heard) - heard > 0.3 * 8000, 4)

    await handset.hang_up()

    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")
    assert "agent_ready" in await kinds_of(handset)


async def test_a_call_that_ends_while_nothing_can_be_written_ends_once_it_can(
    handset: Handset, openai: Provider
) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    with writes_blocked():
        await handset.hang_up()
        await asyncio.sleep(1)
        assert openai.connections == 0
        assert (await call_of(handset)).state == "connected"

    assert await end_of(handset, within_s=10) == ("completed", "caller_hung_up")


async def test_without_a_database_a_stream_is_closed_and_no_provider_is_connected(
    handset: Handset, openai: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    await handset.ring()
    await handset.open()
    monkeypatch.setattr(gateways, "redeem_token", away)

    await handset.start()

    assert await handset.close_comes(within_s=3) == 1011
    assert openai.connections == 0


async def test_a_call_that_was_ended_elsewhere_is_hung_up_at_the_next_renewal(
    handset: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.live.registry.RENEW_EVERY_S", 0.2)
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    call = await call_of(handset)
    before = call.lease_expires_at
    await asyncio.sleep(0.5)
    after = (await call_of(handset)).lease_expires_at
    assert before is not None
    assert after is not None
    assert after > before

    await in_a_thread(lambda: finish_call(call.id, reason=EndReason.HUNG_UP_BY_OPERATOR))

    assert await handset.close_comes(within_s=3) == 1000
    assert await end_of(handset, within_s=1) == ("completed", "hung_up_by_operator")
