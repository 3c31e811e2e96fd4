"""`manage.py consume_sessions`: keeps announced voice sessions, each record once, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sessions.realtime.session_records import AsLines, InTable, Keeper, Outcome, keep_message
from voiceapp.providers.aws.dynamodb import AwsTable
from voiceapp.providers.aws.sqs import LONGEST_POLL_S, AwsQueue
from voiceapp.providers.errors import ProviderError

log = structlog.get_logger(__name__)

SHORT_POLL_S = 1
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class Stop(BaseException):
    """Raised out of a poll, in which nothing is lost: what it might have brought comes again."""


class Command(BaseCommand):
    help = (
        "Keeps announced voice sessions in the table VOICE_SESSION_TABLE; without one it prints them as lines of JSON."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="keep what is there, then end; 1 when something failed")
        parser.add_argument("--make-table", action="store_true", help="first make the table, unless it is there")

    def handle(self, *args: Any, once: bool, make_table: bool, **options: Any) -> None:
        if not settings.VOICE_SESSION_QUEUE_URL:
            raise CommandError("No queue is named. Set VOICE_SESSION_QUEUE_URL.")
        self._stopping = threading.Event()
        self._is_polling = False
        queue = AwsQueue(settings.VOICE_SESSION_QUEUE_URL)
        try:
            with self._told_to_stop():
                keeper = self._keeper(make_table)
                if once:
                    self._empty(queue, keeper)
                else:
                    self._follow(queue, keeper)
        except ProviderError as exc:
            raise CommandError(str(exc)) from exc

    def _keeper(self, make_table: bool) -> Keeper:
        name = settings.VOICE_SESSION_TABLE
        if not name:
            return AsLines(self._print)
        table = AwsTable(name, key="sessionId", ttl="ttl")
        if make_table:
            table.create()
        elif not table.expires_items():
            log.warning("table_expires_nothing", table=name, hint="Enable its TTL on the attribute ttl.")
        return InTable(table)

    def _empty(self, queue: AwsQueue, keeper: Keeper) -> None:
        failed = 0
        while messages := self._poll(queue, SHORT_POLL_S):
            outcomes = [keep_message(queue, message, keeper) for message in messages]
            unreadable = outcomes.count(Outcome.UNREADABLE)
            failed += unreadable
            if unreadable == len(outcomes):
                break
        if failed:
            raise CommandError(f"{failed} could not be read and stayed on the queue.")

    def _follow(self, queue: AwsQueue, keeper: Keeper) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                for message in self._poll(queue, LONGEST_POLL_S):
                    keep_message(queue, message, keeper)
                pause_s = FIRST_PAUSE_S
            except ProviderError as exc:
                # What was not kept comes again by itself.
                wait_s = max(pause_s, exc.retry_after_s or 0.0)
                log.warning("sessions_not_consumed", error=str(exc), again_in_s=wait_s)
                self._stopping.wait(wait_s)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    def _poll(self, queue: AwsQueue, wait_s: int) -> list[Any]:
        try:
            self._is_polling = True
            if self._stopping.is_set():
                return []
            found = queue.receive(wait_s=wait_s)
            self._is_polling = False
        except Stop:
            return []
        finally:
            self._is_polling = False
        return found

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    @contextlib.contextmanager
    def _told_to_stop(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C let a batch be finished; a poll they cut short."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._stopping.set()
            if self._is_polling:
                self._is_polling = False
                raise Stop

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
