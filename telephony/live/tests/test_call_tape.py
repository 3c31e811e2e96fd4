"""The recording of a call whose database is in trouble: no sound without a row, and no wait."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import OperationalError
from pytest_django import Settings

from recordings.spool.folder import spool_folder
from telephony.bridge.tests.far_phone import FarPhone
from telephony.live import call_tape
from telephony.live.call_tape import NO_ROW, CallTape
from telephony.live.gateway import CallGateway

pytestmark = pytest.mark.asyncio


class Rows:
    """A gateway whose database answers as the test says."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.hangs = asyncio.Event()
        self.hangs.set()
        self.done: list[tuple[str, Any]] = []

    async def begin_recording(self, call_id: object, **details: Any) -> bool:
        await self.hangs.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def end_recording(self, tape_id: str, **details: Any) -> bool:
        self.done.append(("end", details))
        return True

    async def cancel_recording(self, tape_id: str, *, reason: str) -> bool:
        self.done.append(("cancel", reason))
        return True


class Live:
    """One call of some seconds, whose time passes at once."""

    def __init__(self, rows: Rows) -> None:
        self.phone = FarPhone()
        self.faults: list[str] = []
        self.tape = CallTape(
            self.phone.tape,
            call_id=uuid4(),
            starts_at_ms=0,
            gateway=cast(CallGateway, rows),
            on_fault=self.faults.append,
        )

    async def talk(self, seconds: int) -> None:
        for _ in range(seconds * 10):
            self.phone.wait(100)
            self.tape.tick()
            await asyncio.sleep(0)

    async def end(self) -> None:
        self.tape.end()
        await self.tape.close()


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RECORDINGS_DIR = str(tmp_path)
    monkeypatch.setattr(call_tape, "TRY_AGAIN_AFTER_S", 0.0)


async def test_what_is_said_before_the_row_is_there_is_recorded() -> None:
    rows = Rows(OperationalError(), True)
    rows.hangs.clear()
    live = Live(rows)
    await live.talk(3)
    assert not spool_folder().exists()
    rows.hangs.set()
    await live.talk(2)
    await live.end()
    assert live.faults == []
    assert rows.done == [("end", {"has_sound": True, "fault": ""})]
    [file] = spool_folder().iterdir()
    assert file.stem == live.tape.tape_id
    assert file.stat().st_size > 5 * 10_000


async def test_a_database_that_never_answers_ends_the_recording_and_leaves_no_sound() -> None:
    rows = Rows(OperationalError(), OperationalError(), OperationalError())
    live = Live(rows)
    await live.talk(5)
    await live.end()
    assert live.faults == [NO_ROW]
    assert not spool_folder().exists()
    assert rows.done == [("end", {"has_sound": False, "fault": NO_ROW})]


async def test_what_waits_for_the_row_is_bounded() -> None:
    rows = Rows(True)
    rows.hangs.clear()
    live = Live(rows)
    await live.talk(14)
    assert live.faults == [NO_ROW]
    assert len(live.tape._early) <= call_tape.MOST_EARLY_BLOCKS
    rows.hangs.set()
    await live.end()


async def test_a_call_that_is_recorded_elsewhere_leaves_nothing() -> None:
    rows = Rows(False)
    live = Live(rows)
    await live.talk(3)
    await live.end()
    assert (live.faults, rows.done) == ([], [])
    assert not spool_folder().exists()


async def test_a_call_that_ends_before_its_row_is_there_is_recorded_all_the_same() -> None:
    rows = Rows(True)
    rows.hangs.clear()
    live = Live(rows)
    await live.talk(1)
    live.tape.end()
    closing = asyncio.create_task(live.tape.close())
    await asyncio.sleep(0)
    rows.hangs.set()
    await closing
    assert rows.done == [("end", {"has_sound": True, "fault": ""})]


async def test_who_opts_out_before_the_row_is_there_leaves_nothing() -> None:
    rows = Rows(True)
    rows.hangs.clear()
    live = Live(rows)
    await live.talk(2)
    live.tape.stop_and_delete()
    await live.talk(1)
    rows.hangs.set()
    await live.end()
    assert rows.done == [("cancel", call_tape.NOT_WANTED)]
    assert not spool_folder().exists()
