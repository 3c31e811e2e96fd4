"""A consumer of the announcements of voice sessions: keeps each record once, then takes its message off the queue."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec
import structlog
from msgspec import Meta

from voiceapp.providers.aws.dynamodb import AwsTable
from voiceapp.providers.aws.sqs import AwsQueue, QueuedMessage
from voiceapp.providers.errors import ProviderError

log = structlog.get_logger(__name__)

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Timestamp = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
REMEMBERED = 10_000


class SessionRecord(msgspec.Struct, frozen=True):
    """What is announced of a voice session, as it stands on the queue."""

    sessionId: Text
    userId: Text
    createdAt: Timestamp
    expiresAt: Timestamp
    ttl: Annotated[int, Meta(gt=0)]


class Keeper(Protocol):
    """False when the record was kept before. May raise ProviderError."""

    def keep(self, record: SessionRecord) -> bool: ...


class InTable:
    """In DynamoDB, by the session's id, until its `ttl`."""

    def __init__(self, table: AwsTable) -> None:
        self._table = table

    def keep(self, record: SessionRecord) -> bool:
        return self._table.keep(msgspec.structs.asdict(record))


class AsLines:
    """Written somewhere as lines of JSON; what comes again while this process lives is not written again."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._seen: OrderedDict[str, None] = OrderedDict()

    def keep(self, record: SessionRecord) -> bool:
        line = msgspec.json.encode(record).decode()
        if line in self._seen:  # the whole of it: the id is the provider's
            return False
        self._write(line)
        self._seen[line] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True


class Outcome(enum.Enum):
    KEPT = enum.auto()
    REPEATED = enum.auto()
    UNREADABLE = enum.auto()


def keep_message(queue: AwsQueue, message: QueuedMessage, keeper: Keeper) -> Outcome:
    """Keep, and only then delete. What cannot be read stays on the queue, whose redrive policy puts it aside."""
    try:
        record = msgspec.json.decode(message.body, type=SessionRecord)
    except (msgspec.DecodeError, RecursionError) as exc:
        log.error("announcement_unreadable", sqs_id=message.sqs_id, message_id=message.message_id, error=str(exc)[:200])
        return Outcome.UNREADABLE
    is_new = keeper.keep(record)
    try:
        queue.delete(message)
    except ProviderError as exc:
        # It comes again, and is known then.
        log.warning("announcement_not_deleted", message_id=message.message_id, error=str(exc))
    return Outcome.KEPT if is_new else Outcome.REPEATED
