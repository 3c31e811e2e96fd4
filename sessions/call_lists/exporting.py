"""Calls as CSV and JSON: read in batches, so that memory stays flat, in an order that new calls do not disturb."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from sessions.calls.masked_numbers import calling_number, dialed_number
from sessions.calls.models import Call
from sessions.calls.topics import topics_of
from sessions.exports.models import Export
from sessions.exports.services import ExportLog
from voiceapp.core.spreadsheets import BYTE_ORDER_MARK, escaped

from .figures import CallFigures, read_figures
from .outcomes import CallOutcome, outcomes_of

Value = str | int | float | list[str] | None
Row = dict[str, Value]
SeesNumbers = Callable[[UUID | None], bool]
BATCH = 1000
# Columns whose values are large, and of which an export has nothing.
LEFT_OUT = ("metadata", "usage")
UTC = ZoneInfo("UTC")
NAMES = (
    "callId", "organization", "startedAt", "connectedAt", "endedAt", "timeZone", "type", "direction", "state",
    "endReason", "outcomes", "topics", "callerNumber", "dialedNumber", "agent", "agentVersion", "durationS", "turns",
    "medianResponseMs", "slowestResponseMs", "interruptions", "orderTotal", "currency", "costUsd", "transferredTo",
    "roomName", "carrierId",
)  # fmt: skip


def batches(calls: QuerySet[Call], *, size: int = BATCH) -> Iterator[list[Call]]:
    """The newest first. Each batch begins after the last call of the one before: one that comes in is newer than all.

    A fixed number of queries for each batch.
    """
    keys = calls.order_by("-created_at", "-id")
    rows = Call.objects.defer(*LEFT_OUT).prefetch_related("organization", "agent", "agent_version")
    after = Q()
    while page := list(keys.filter(after).values_list("created_at", "pk")[:size]):
        yield list(rows.filter(pk__in=[pk for _, pk in page]).order_by("-created_at", "-id"))
        after = is_after(*page[-1])


def is_after(last_at: dt.datetime, last: UUID) -> Q:
    """What follows a call in the order of lists, the newest first."""
    return Q(created_at__lte=last_at) & (Q(created_at__lt=last_at) | Q(pk__lt=last))


def rows_of(calls: Sequence[Call], sees_numbers: SeesNumbers) -> Iterator[Row]:
    """Five queries for a batch of calls."""
    figures, outcomes = read_figures([call.pk for call in calls]), outcomes_of(calls)
    for call in calls:
        yield row_of(call, figures[call.pk], outcomes[call.pk], sees=sees_numbers(call.organization_id))


def row_of(call: Call, figures: CallFigures, outcomes: Collection[CallOutcome], *, sees: bool) -> Row:
    """By NAMES. Times are ISO 8601 with the offset of the organization's zone; numbers are masked unless `sees`."""
    zone = ZoneInfo(call.organization.time_zone) if call.organization else UTC
    times = [each for each in figures.response_times if each is not None]
    starts, connects, ends = (
        at.astimezone(zone).isoformat(timespec="seconds") if at else None
        for at in (call.created_at, call.connected_at, call.ended_at)
    )
    caller, dialed = calling_number(call, sees=sees), dialed_number(call, sees=sees)
    values: tuple[Value, ...] = (
        str(call.pk), call.organization.name if call.organization else "", starts, connects, ends, zone.key, call.kind,
        call.direction, call.state, call.end_reason, [each.value for each in outcomes],
        [each.value for each in topics_of(call.topics, call.end_reason)],
        caller, dialed, call.agent.name if call.agent else "",
        call.agent_version.number if call.agent_version else None,
        call.duration_s, len(figures.response_times), int(median(times)) if times else None, call.slowest_response_ms,
        call.interruptions, None if figures.total is None else f"{figures.total:.2f}", figures.currency,
        None if call.cost_usd is None else str(call.cost_usd), call.transferred_to, call.room_name or "",
        call.carrier_sid or "",
    )  # fmt: skip
    return dict(zip(NAMES, values, strict=True))


def lines_of(calls: QuerySet[Call], file_format: str, *, sees_numbers: SeesNumbers, log: ExportLog) -> Iterator[str]:
    """The file, a part for each batch. Its end is written to the log of exports."""
    write = _csv if file_format == Export.Format.CSV else _json
    parts = (rows_of(batch, sees_numbers) for batch in log.counted(batches(calls)))
    return log.until_end(write(parts))


def _csv(parts: Iterator[Iterable[Row]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _csv_part([NAMES])
    for rows in parts:
        yield _csv_part([_cell(value) for value in row.values()] for row in rows)


def _csv_part(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return escaped(" ".join(value) if isinstance(value, list) else str(value).replace("\0", ""))


def _json(parts: Iterator[Iterable[Row]]) -> Iterator[str]:
    """An array with a call in each line. A file that was broken off is no JSON."""
    begin = "[\n"
    for rows in parts:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        if lines:
            yield begin + ",\n".join(lines)
            begin = ",\n"
    yield "[]\n" if begin == "[\n" else "\n]\n"
