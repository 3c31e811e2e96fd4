"""All calls that this process carries: their common clock, their leases, and how they end when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings

from sessions.calls.commands import Command
from sessions.calls.end_reasons import EndReason
from voiceapp.core import metrics
from voiceapp.core.serving import serving

from .garbage import GarbageCollection
from .listening.listeners import Listener

logger = structlog.get_logger("live_calls")

TICK_S = 0.1
RENEW_EVERY_S = 15.0
COMMANDS_EVERY_S = 0.25
AFTER_A_FAULT_S = 2.0


class Carried(Protocol):
    """A call as this registry sees it."""

    @property
    def call_id(self) -> UUID: ...

    def tick(self, now: float) -> None:
        """Ten times a second; `now` is the loop's clock in seconds."""

    def hang_up(self, reason: EndReason) -> None: ...

    def obey(self, command: Command) -> None:
        """Do what another process, or an operator, wants of this call."""

    def let_in(self, listener: Listener) -> bool:
        """Somebody listens in. False if too many do."""

    def break_off(self, fault: BaseException) -> None:
        """Our own code failed: end this call, and only this one."""


class CallTable(Protocol):
    """What the database says of live calls (gateway.py)."""

    async def renew_leases(self, call_ids: Iterable[UUID]) -> set[UUID]:
        """Returns the calls that are still live."""

    async def waiting_commands(self) -> list[tuple[int, UUID]]:
        """Number and call of all commands that wait."""

    async def take_commands(self, numbers: Collection[int]) -> Sequence[Command]:
        """Those of these that nobody has taken."""


class Runs(Carried, Protocol):
    """A call that no socket of its caller's waits for."""

    async def run(self) -> None:
        """Carry it to its end."""


class LiveCalls:
    """The registry. Its tasks run only while there are calls, so that an idle process does nothing."""

    def __init__(self) -> None:
        self.is_draining = False
        self.garbage: GarbageCollection | None = None  # of a process that is there for calls
        self._calls: dict[UUID, Carried] = {}
        self._starting = 0
        self._carried: dict[UUID, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, call_id: UUID) -> Carried | None:
        """The call, if this process carries it."""
        return self._calls.get(call_id)

    def carry(self, call: Runs) -> None:
        """Run it to its end, in a task of its own."""
        call_id = call.call_id
        task = self._carried[call_id] = asyncio.get_running_loop().create_task(call.run())
        task.add_done_callback(lambda _: self._carried.pop(call_id))

    def is_carrying(self, call_id: UUID) -> bool:
        """Whether it runs in a task of its own, be it that its end is still being written."""
        return call_id in self._carried

    async def until_closed(self, call_id: UUID) -> None:
        """A call in a task of its own has ended, and everything about it is written."""
        if task := self._carried.get(call_id):
            await asyncio.wait({task})

    async def wait_until_closed(self, *, within_s: float) -> None:
        """Those in tasks of their own have ended, and everything about them is written."""
        if self._carried:
            await asyncio.wait(set(self._carried.values()), timeout=within_s)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Keep a place for a call that starts, until the end of the block; False if all are taken."""
        is_free = len(self._calls) + self._starting < settings.MAX_LIVE_CALLS
        self._starting += is_free
        try:
            yield is_free
        finally:
            self._starting -= is_free

    def add(self, call: Carried, table: CallTable) -> None:
        self._calls[call.call_id] = call
        self._set_gauge()
        if not self._tasks:
            if self.garbage is not None:
                self.garbage.first_call_began(asyncio.get_running_loop().time())
            self._tasks = [
                asyncio.create_task(self._keep_time(), name="ticker"),
                asyncio.create_task(self._keep_leases(table), name="leases"),
                asyncio.create_task(self._pass_commands(table), name="commands"),
            ]

    def remove(self, call: Carried) -> None:
        self._calls.pop(call.call_id, None)
        self._set_gauge()
        if self.garbage is not None:
            self.garbage.call_ended()
        if not self._calls:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            metrics.loop_lag_seconds.set(0)
            if self.garbage is not None:
                self.garbage.last_call_ended()

    def start_draining(self) -> None:
        """Accept no new call; live calls continue."""
        self.is_draining = serving.is_draining = True

    def _set_gauge(self) -> None:
        serving.live_calls = len(self._calls)
        metrics.live_calls.set(len(self._calls))

    def hang_up_all(self, reason: EndReason) -> None:
        for call in list(self._calls.values()):
            call.hang_up(reason)

    async def _keep_time(self) -> None:
        """One clock for all: a timer per call would wake the loop hundreds of times more often."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            metrics.loop_lag_seconds.set(max(0.0, now - due))
            for call in list(self._calls.values()):
                try:
                    call.tick(now)
                except Exception as fault:  # noqa: BLE001 - one broken call must not stop the others' clock
                    call.break_off(fault)
            if self.garbage is not None:
                self.garbage.tick(now)

    async def _keep_leases(self, table: CallTable) -> None:
        while True:
            ids = list(self._calls)
            try:
                live = await table.renew_leases(ids)
            except Exception:
                logger.exception("leases not renewed", calls=len(ids))
            else:
                for call_id in set(ids) - live:
                    if (
                        call_id in self._calls
                    ):  # ended elsewhere: by an operator, a webhook of the carrier, or the reaper
                        self._calls[call_id].hang_up(EndReason.HUNG_UP_BY_OPERATOR)
            await asyncio.sleep(RENEW_EVERY_S)

    async def _pass_commands(self, table: CallTable) -> None:
        """One query for all calls, of a table that is nearly always empty. Any process may leave a command."""
        while True:
            await asyncio.sleep(COMMANDS_EVERY_S)
            try:
                waiting = await table.waiting_commands()
                ours = [number for number, call_id in waiting if call_id in self._calls]
                taken = await table.take_commands(ours) if ours else ()
            except Exception:
                logger.exception("commands not taken")
                await asyncio.sleep(AFTER_A_FAULT_S)
                continue
            for command in taken:
                if (call := self._calls.get(command.call_id)) is not None:
                    self._obey(call, command)

    def _obey(self, call: Carried, command: Command) -> None:
        try:
            call.obey(command)
        except Exception as fault:  # noqa: BLE001 - of this call alone
            call.break_off(fault)


live_calls = LiveCalls()
