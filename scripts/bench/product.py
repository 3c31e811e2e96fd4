"""The product as it is served: `manage.py serve` on stock uvicorn, with a throw-away database and its demo line."""

from __future__ import annotations

import copy
import json
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import free_port, server
from webhook import ACCOUNT_SID

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WITH_REFERENCE = f"{ROOT}{os.pathsep}{HERE}"  # a path on which a reference's view is found, too
KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Line:
    """Where the demo organization is rung."""

    org_id: str
    dialed: str


@dataclass(frozen=True, slots=True)
class Serving:
    """A product that serves, and how the load reaches it."""

    pid: int
    webhook: str
    dialed: str


class Product:
    """Makes the database; every round then serves it with a new process."""

    def __init__(self, folder: Path, *, calls: int) -> None:
        self.folder = folder
        self.provider_port = free_port()
        self.port = free_port()
        self.auth_token = secrets.token_hex(16)
        self.environment = self._environment() | {"MAX_LIVE_CALLS": str(calls + 10)}
        self.run("manage.py", "migrate", "--no-input", "-v", "0")
        self.open_line(calls + 10)

    def open_line(self, calls: int) -> None:
        """The demo line, for so many calls at once."""
        self.line = Line(**json.loads(self.run("scripts/bench/open_line.py", str(calls)).splitlines()[-1]))

    def another(self, name: str, **settings: str) -> Product:
        """One with these settings, and with a folder and a copy of the database of its own."""
        other = copy.copy(self)
        other.folder = self.folder / name
        other.folder.mkdir()
        with closing(sqlite3.connect(self.database)) as ours, closing(sqlite3.connect(other.database)) as theirs:
            ours.backup(theirs)
        other.environment = self.environment | {"DATABASE_URL": f"sqlite:///{other.database}"} | settings
        return other

    @property
    def database(self) -> Path:
        return self.folder / "bench.sqlite3"

    @contextmanager
    def serve(self, core: int | None, *, port: int | None = None, **settings: str) -> Iterator[Serving]:
        """A new process; several at a time need a port each."""
        port = port or self.port
        command = [sys.executable, str(ROOT / "manage.py"), "serve"]
        environment = self.environment | _address(port) | settings
        log = self.folder / f"product-{port}.log"
        with server(command, port=port, core=core, environment=environment, log=log) as process:
            webhook = f"{environment['PUBLIC_BASE_URL']}/twiml/start?orgId={self.line.org_id}"
            yield Serving(process.pid, webhook, self.line.dialed)

    def _environment(self) -> dict[str, str]:
        """Production's settings, apart from addresses on loopback; nothing of the laptop's own `.env` gets in."""
        return {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "voiceapp.settings",
            "SECRET_KEY": secrets.token_hex(32),
            "DEBUG": "false",
            "HOST": "127.0.0.1",
            "LOG_LEVEL": "info",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": "",
            "CELERY_BROKER_URL": "memory://",
            "OPENAI_API_KEY": secrets.token_hex(16),
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.provider_port}/v1",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_BASE_URL": "http://127.0.0.1:1",
            "INTERNAL_API_KEY": secrets.token_hex(16),
            "SIMULATORS": "",
            "METRICS_LISTEN": "",
            **_address(self.port),
        }

    def run(self, *command: str) -> str:
        """What a script or command of the product prints."""
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def _address(port: int) -> dict[str, str]:
    return {"PORT": str(port), "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"}
