"""The product as a separate process, for tests of signals and of `kill -9`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from voiceapp.tests.database import database_url

START_WITHIN_S = 60.0


@dataclass
class Served:
    """`manage.py serve` on the test's database."""

    process: Process
    address: str

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def exit_status(self, *, within_s: float) -> int:
        return await asyncio.wait_for(self.process.wait(), within_s)


@asynccontextmanager
async def served(port: int, **environment: Any) -> AsyncIterator[Served]:
    """Serve at this port with the settings of the test and these on top."""
    address = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port),
        stdout=PIPE, cwd=settings.BASE_DIR,
        env=os.environ | {
            "DATABASE_URL": database_url(),
            "PUBLIC_BASE_URL": address,
            "TWILIO_ACCOUNT_SID": settings.TWILIO_ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": settings.TWILIO_AUTH_TOKEN,
            "OPENAI_API_KEY": settings.OPENAI_API_KEY,
            "OPENAI_BASE_URL": settings.OPENAI_BASE_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "REDIS_URL": "",
            "CELERY_BROKER_URL": "memory://",
            "SECURE_SSL_REDIRECT": "false",
        } | {name: str(value) for name, value in environment.items()},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)
        assert line.decode().strip() == f"listening on {address}"
        yield Served(process, address)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
