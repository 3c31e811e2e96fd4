"""How a call is going, for the socket of its page: now, and whenever it has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import translation

from sessions.calls.models import Call
from telephony.live.call_watchers import call_watchers
from voiceapp.core.database_threads import DatabaseThreads

from .progress import progress_of

# Their own, so that pages which look delay no phone call.
page_threads = DatabaseThreads(2, name="page-sockets")


async def follow_progress(
    call_id: UUID, show: Callable[[Mapping[str, Any]], None], *, sees_cost: bool, language: str
) -> None:
    """Until canceled. The call is carried by this process."""
    news = asyncio.Event()
    shown: Mapping[str, Any] = {}
    with call_watchers.watching(call_id, news.set):
        while True:
            news.clear()
            with contextlib.suppress(DatabaseError):  # it is read again at the next change
                progress = await page_threads.run(read_progress, call_id, sees_cost=sees_cost, language=language)
                if lasting(progress) != lasting(shown):
                    shown = progress
                    show(progress)
            await news.wait()


def read_progress(call_id: UUID, *, sees_cost: bool, language: str) -> dict[str, Any]:
    call = Call.objects.select_related("organization").get(pk=call_id)
    with translation.override(language):
        return progress_of(call, is_operator=sees_cost)


def lasting(progress: Mapping[str, Any]) -> dict[str, Any]:
    """Without what changes by itself."""
    return {name: value for name, value in progress.items() if name != "durationS"}
