"""With a database process calls run as without one, whichever of the two processes dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from sessions.calls.models import Call

from .conftest import Provider, call_of, comes_true, end_of
from .handset import Handset
from .served import Served, served

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

KEY = "internal-key-of-the-tests-with-two-processes"


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def database_process(server: Served) -> int:
    (pid,) = children_of(server.process.pid)
    return pid


def has_ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def counted(server: Served, sample: str) -> float:
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{server.address}/metrics", headers={"Authorization": f"Bearer {KEY}"})
    return sum(float(line.split()[-1]) for line in response.text.splitlines() if line.startswith(sample))


async def is_refused(handset: Handset) -> bool:
    """Whether a second stream with the token of the first one is closed."""
    try:
        await handset.open()
        await handset.send_start()
        return await handset.close_comes(within_s=5) == 1008
    except ConnectionClosed:
        return True


async def test_a_call_survives_the_database_process_and_the_next_one_is_taken(
    handset: Handset, new_handset: Callable[[], Handset], openai: Provider, unused_tcp_port: int
) -> None:
    after, again = new_handset(), new_handset()
    async with served(unused_tcp_port, DATABASE_PROCESS="true", INTERNAL_API_KEY=KEY, DRAIN_BUDGET_S=20) as server:
        handset.base_url = after.base_url = again.base_url = server.address
        first = database_process(server)
        await handset.dial()
        assert await handset.hears_something(within_s=5)

        os.kill(first, signal.SIGKILL)
        await after.dial()

        assert await after.hears_something(within_s=8)
        second = database_process(server)
        assert second != first
        assert not handset.closed.is_set()
        assert len({call.process async for call in Call.objects.all()}) == 1
        again.call_sid, again.stream_url, again.parameters = after.call_sid, after.stream_url, after.parameters
        assert await is_refused(again)
        async with asyncio.timeout(5):
            while await counted(server, "voiceapp_stream_tokens_refused_total{") != 1:
                await asyncio.sleep(0.2)

        # As systemd and terminals do it: a signal to every process of the service.
        os.kill(second, signal.SIGTERM)
        server.send(signal.SIGTERM)
        await handset.hang_up()
        await after.hang_up()
        assert await server.exit_status(within_s=10) == 0
        assert has_ended(second)
    assert await end_of(handset, within_s=1) == ("completed", "caller_hung_up")
    assert await end_of(after, within_s=1) == ("completed", "caller_hung_up")


async def test_after_kill_9_the_database_process_ends_too(handset: Handset, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port, DATABASE_PROCESS="true") as server:
        handset.base_url = server.address
        beside = database_process(server)
        await handset.dial()
        assert await handset.hears_something(within_s=5)

        server.send(signal.SIGKILL)

        await handset.close_comes(within_s=5)
        assert await asyncio.to_thread(comes_true, lambda: has_ended(beside), 30)
    assert (await call_of(handset)).state == "connected"  # the reaper's (test_drain.py)
