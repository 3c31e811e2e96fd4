"""The inbox: events that a provider sent, stored once and processed by a worker, one at a time per room or call.

They may be processed in any order, so one that failed lets the later ones of its room pass while it waits for a retry.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping

from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.wake_up import WakeUp

from .models import ProviderEvent

MAX_KIND = 60
MAX_PARTITION_KEY = 128
MAX_KEY_PART = 128


class Inbox(JobQueue[ProviderEvent]):
    name = "inbox"
    model = ProviderEvent
    order = Order.UNTIL_ATTEMPTED
    max_attempts = 8
    lease = dt.timedelta(seconds=20)
    first_wait_s = 2
    longest_wait_s = 600
    gives_up_on_permanent_errors = False

    def store(
        self, source: str, *, dedup_key: str, kind: str, partition_key: str, fields: Mapping[str, object]
    ) -> None:
        """Store an event once, to be processed.

        Ids are the provider's and may come again: the same key with another content is another event.
        """
        event = ProviderEvent(
            source=source,
            dedup_key=dedup_key,
            kind=kind[:MAX_KIND],
            partition_key=partition_key[:MAX_PARTITION_KEY],
            fields=dict(fields),
            state=ProviderEvent.State.WAITING,
        )
        ProviderEvent.objects.bulk_create([event], ignore_conflicts=True)
        stored = ProviderEvent.objects.filter(source=source, dedup_key=dedup_key).values("kind", "fields").first()
        if stored is not None and (stored["kind"], stored["fields"]) != (event.kind, event.fields):
            event.dedup_key = _key_with_content(event)
            ProviderEvent.objects.bulk_create([event], ignore_conflicts=True)
        self.wake_up_on_commit([source])


def _key_with_content(event: ProviderEvent) -> str:
    content = json.dumps([event.dedup_key, event.kind, event.fields], sort_keys=True)
    return f"{event.dedup_key[:MAX_KEY_PART]}~{hashlib.sha256(content.encode()).hexdigest()}"


inbox = Inbox(WakeUp("telephony.tasks.process_events"))
