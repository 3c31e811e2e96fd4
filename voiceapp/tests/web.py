"""The web process, as production starts it, for tests that do not run on an event loop."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings

from voiceapp.tests.worker import kill, until, whole


@contextlib.contextmanager
def web_process(folder: Path, port: int, environment: Mapping[str, str]) -> Iterator[str]:
    """Its address, once it listens; it ends by SIGKILL. On the tests' database."""
    log = folder / "web.log"
    command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    plain = {"SECRET_KEY": settings.SECRET_KEY, "PUBLIC_BASE_URL": address, "SECURE_SSL_REDIRECT": "false"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=whole(plain | dict(environment)),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: b"listening on" in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        kill(process)
