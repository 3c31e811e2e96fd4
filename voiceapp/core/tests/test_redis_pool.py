"""Connections to Redis: one pool for the process, however many cache objects Django makes."""

from __future__ import annotations

from voiceapp.core.redis_pool import SharedPool


def test_the_same_address_and_options_share_a_pool() -> None:
    first, second = (SharedPool.from_url("redis://127.0.0.1:1/0", socket_timeout=0.25) for _ in range(2))
    assert first is second
    assert first.connection_kwargs["socket_timeout"] == 0.25


def test_other_options_or_another_address_do_not() -> None:
    pools = [
        SharedPool.from_url("redis://127.0.0.1:1/0", socket_timeout=0.25),
        SharedPool.from_url("redis://127.0.0.1:1/0", socket_timeout=0.5),
        SharedPool.from_url("redis://127.0.0.1:1/1", socket_timeout=0.25),
    ]
    assert len({id(pool) for pool in pools}) == 3
