"""Tells the worker that something waits in the outbox: a hint, whose giver never waits and never hears of failure."""

from __future__ import annotations

import queue
import threading

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

TASK = "sessions.tasks.deliver_outbox"
# A broker that hangs holds the thread up, not the caller; what does not fit is left to the sweep.
WAITING = 100


class WakeUp:
    """One thread that speaks to the broker, started when it is first needed."""

    def __init__(self) -> None:
        self._topics: queue.Queue[str] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, topic: str) -> None:
        """Ask for a delivery of the topic soon; returns at once."""
        try:
            self._topics.put_nowait(topic)
        except queue.Full:
            log.warning("wake_up_dropped", topic=topic)
            return
        with self._lock:
            # A fork leaves the thread behind.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="outbox-wake-up", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            topic = self._topics.get()
            try:
                current_app.send_task(TASK, args=[topic], retry=False, expires=60)
            except Exception:
                # The loop outlives whatever a broker's client raises.
                log.warning("wake_up_failed", topic=topic, exc_info=True)


wake_up = WakeUp()
