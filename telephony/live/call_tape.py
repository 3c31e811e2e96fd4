"""The recording of one live call by this server: from its tape into a spool file, and its row. No call waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from uuid import UUID, uuid4

import structlog

from recordings.spool.blocks import FileHeader, Said
from recordings.spool.folder import spool_path
from recordings.spool.writer import SpoolFile, spool_writer
from telephony.bridge.core.tape import Tape

from .gateway import CallGateway

logger = structlog.get_logger("call_tape")

TICKS_PER_BLOCK = 10  # a second
# The row is written before the file. What is said until then waits, so long.
MOST_EARLY_BLOCKS = 10
TRIES = 3
TRY_AGAIN_AFTER_S = 1.0
WRITE_WITHIN_S = 5.0

NO_ROW = "The database did not take the recording's entry."
NOT_WANTED = "Stopped and deleted during the call."


class CallTape:
    """Made when the call begins. `tick` ten times a second, `end` when the call is over, `close` after its last facts.

    `on_fault` learns once why the recording ends before its call.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        call_id: UUID,
        starts_at_ms: int,
        gateway: CallGateway,
        on_fault: Callable[[str], None],
    ) -> None:
        """`starts_at_ms`: where this stream begins on the call's clock; 0 for the first one."""
        self.tape_id = uuid4().hex
        self._tape = tape
        self._call_id = call_id
        self._starts_at_ms = starts_at_ms
        self._gateway = gateway
        self._on_fault = on_fault
        self._file: SpoolFile | None = None
        self._early: list[Said] = []
        self._ending: asyncio.Task[None] | None = None
        # Calls that began together are not written together.
        self._ticks = int(self.tape_id, 16) % TICKS_PER_BLOCK
        self._beginning = asyncio.create_task(self._begin())

    def tick(self) -> None:
        self._ticks += 1
        if not self._ticks % TICKS_PER_BLOCK:
            self._take()

    def end(self) -> None:
        """Nothing more is said or heard."""
        self._tape.ended()
        self._take()

    def stop_and_delete(self) -> None:
        """The caller does not want to be recorded: nothing of it is left, and nothing more is taken down."""
        self._end(self._delete())

    def stop_and_keep(self, reason: str) -> None:
        """Nothing more is taken down, and what there is becomes a recording."""
        self._end(self._finish(reason))

    async def close(self) -> None:
        """The file is complete, then the row says so. What a process that dies leaves undone, the sweep does."""
        self._end(self._finish(""))
        if self._ending is not None:
            await self._ending

    def _end(self, how: Coroutine[None, None, None]) -> None:
        """The first end counts."""
        if self._ending is None:
            self._ending = asyncio.create_task(how)
        else:
            how.close()

    def _take(self) -> None:
        said = self._tape.take()
        if said is None or self._ending is not None:
            return
        file = self._file
        if file is not None:
            file.append(said)
            if file.fault:
                self._fail(file.fault)
        elif len(self._early) < MOST_EARLY_BLOCKS:
            self._early.append(said)
        else:
            self._fail(NO_ROW)

    def _fail(self, reason: str) -> None:
        if self._ending is None:
            logger.error("no longer recorded", call_id=str(self._call_id), tape=self.tape_id, reason=reason)
            self._end(self._finish(reason))
            self._on_fault(reason)

    async def _begin(self) -> None:
        """No sound is on the disk without a row that says so."""
        is_ours = await self._try("begin", self._add_row)
        if is_ours is None:
            self._fail(NO_ROW)
        elif not is_ours:
            logger.info("recorded elsewhere", call_id=str(self._call_id))
            self._end(_nothing())
        elif self._ending is None or self._early:
            header = FileHeader(tape=self.tape_id, call=str(self._call_id))
            file = self._file = SpoolFile(spool_writer, spool_path(self.tape_id), header)
            for said in self._early:
                file.append(said)
        self._early.clear()

    def _add_row(self) -> Awaitable[bool]:
        return self._gateway.begin_recording(self._call_id, tape_id=self.tape_id, starts_at_ms=self._starts_at_ms)

    async def _finish(self, reason: str) -> None:
        await asyncio.wait({self._beginning}, timeout=TRIES * (WRITE_WITHIN_S + TRY_AGAIN_AFTER_S))
        file = self._file
        if file is not None:
            await asyncio.wait({asyncio.wrap_future(file.close())}, timeout=WRITE_WITHIN_S)
            reason = reason or file.fault
        has_sound = file is not None and file.written_blocks > 0
        await self._try("end", lambda: self._gateway.end_recording(self.tape_id, has_sound=has_sound, fault=reason))

    async def _delete(self) -> None:
        self._early.clear()
        await asyncio.wait({self._beginning}, timeout=TRIES * (WRITE_WITHIN_S + TRY_AGAIN_AFTER_S))
        if self._file is not None:
            await asyncio.wait({asyncio.wrap_future(self._file.delete())}, timeout=WRITE_WITHIN_S)
        await self._try("cancel", lambda: self._gateway.cancel_recording(self.tape_id, reason=NOT_WANTED))

    async def _try(self, step: str, work: Callable[[], Awaitable[bool]]) -> bool | None:
        """None if it never succeeded."""
        for _ in range(TRIES):
            try:
                return await asyncio.wait_for(work(), WRITE_WITHIN_S)
            except Exception:
                logger.warning("recording's entry not written", tape=self.tape_id, step=step, exc_info=True)
                await asyncio.sleep(TRY_AGAIN_AFTER_S)
        return None


async def _nothing() -> None:
    """There is nothing to end."""
