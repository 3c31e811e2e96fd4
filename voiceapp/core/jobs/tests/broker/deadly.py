"""A Celery application with a task that kills its process: `celery -A voiceapp.core.jobs.tests.broker.deadly`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import django

django.setup()

from voiceapp.celery import app  # noqa: E402 - models need the setup


@app.task(name="voiceapp.tests.die", expires=60)
def die(path: str) -> None:
    """Leave a line in the file, then die as by the kernel's hand."""
    with Path(path).open("a") as file:
        file.write("started\n")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="voiceapp.tests.live", expires=60)
def live(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("lived\n")
