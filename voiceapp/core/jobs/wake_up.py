"""Wakes a worker up: a hint that may be lost. The caller never waits for the broker, and no failure reaches it."""

from __future__ import annotations

import queue
import threading

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

# A broker that hangs blocks the thread, not the caller; what does not fit is left to the periodic run.
MAX_WAITING = 100


class WakeUp:
    """Sends one Celery task. A thread of its own speaks to the broker, started when it is first needed."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._waiting: queue.Queue[tuple[str, ...]] = queue.Queue(MAX_WAITING)
        self._unsent: set[tuple[str, ...]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, *arguments: str) -> None:
        """Run the task soon; returns at once. The same arguments that still wait are not sent twice."""
        with self._lock:
            # A fork leaves the thread behind.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=f"wake-up {self._task}", daemon=True)
                self._thread.start()
            if arguments in self._unsent:
                return
            try:
                self._waiting.put_nowait(arguments)
            except queue.Full:
                log.warning("wake_up_dropped", task=self._task, arguments=arguments)
                return
            self._unsent.add(arguments)

    def _run(self) -> None:
        while True:
            arguments = self._waiting.get()
            with self._lock:
                self._unsent.discard(arguments)
            try:
                current_app.send_task(self._task, args=list(arguments), retry=False, expires=60)
            except Exception:
                # The loop outlives whatever a broker's client raises.
                log.warning("wake_up_failed", task=self._task, arguments=arguments, exc_info=True)
