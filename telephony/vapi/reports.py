"""What VAPI reports of a call that is over, by its webhook or in response to our request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from sessions.analytics.changes import note_day_change
from sessions.calls.costs import cost_of, set_cost
from sessions.calls.models import Call, CallEvent, TranscriptLine
from sessions.calls.services import finish_call, keeps_words, possible_end
from telephony.events.allow_list import kept
from voiceapp.providers.vapi.messages import (
    SpokenLine,
    list_of,
    money_of,
    part_of,
    spoken_lines,
    text_of,
    time_of,
)
from voiceapp.providers.vapi.recordings import recording_of

from .ended_reasons import end_reason_of
from .kept_fields import COSTS
from .models import VapiLeg
from .recording import keep_recording

# VAPI's report follows the end of the call by some seconds. Until then nothing is requested.
REPORT_WITHIN = dt.timedelta(seconds=60)
MAX_COSTS = 50
MAX_REASON = 120


@dataclass(frozen=True, slots=True)
class Report:
    """Of the webhook's message or of `GET /call/{id}`, which have the same fields. What is absent is empty or None."""

    ended_reason: str
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    cost_usd: Decimal | None
    costs: Sequence[Mapping[str, object]]
    recording_url: str
    stereo_recording_url: str
    recording_url_expires_at: dt.datetime | None
    has_recording: bool
    lines: Sequence[SpokenLine]


def read_report(record: Mapping[str, Any]) -> Report:
    artifact, recording = part_of(record, "artifact"), recording_of(record)
    return Report(
        ended_reason=text_of(record, "endedReason", longest=MAX_REASON),
        started_at=time_of(record, "startedAt"),
        ended_at=time_of(record, "endedAt"),
        cost_usd=money_of(record, "cost"),
        costs=[kept(each, COSTS) for each in list_of(record, "costs")[:MAX_COSTS] if isinstance(each, Mapping)],
        recording_url=_to_open(recording.mono_url),
        stereo_recording_url=_to_open(recording.stereo_url),
        recording_url_expires_at=recording.expires_at,
        has_recording=bool(recording.url),
        lines=spoken_lines([each for each in list_of(artifact, "messages") if isinstance(each, Mapping)]),
    )


def apply_report(leg: VapiLeg, report: Report) -> None:
    """Safe to repeat, and in any order with the other messages: what is known is never replaced by nothing.

    Raises ProviderError while the recording of an earlier part of the call keeps this one's from being stored.
    """
    now = timezone.now()
    with transaction.atomic():
        call = Call.objects.select_for_update(no_key=True).get(pk=leg.call_id)
        stored = VapiLeg.objects.get(pk=leg.pk)
        is_first = stored.reported_at is None
        for name in (
            "ended_reason", "started_at", "ended_at", "cost_usd", "costs", "recording_url", "stereo_recording_url",
            "recording_url_expires_at",
        ):  # fmt: skip
            if (value := getattr(report, name)) not in (None, "", []):
                setattr(stored, name, value)
        stored.status = "ended"
        stored.reported_at = stored.reported_at or now
        stored.check_at = None
        stored.save()
        if report.cost_usd is not None:
            # As the bridge does, which may have had the report on its socket.
            usage = set_cost(call.usage, source=f"vapi {leg.vapi_id}", usd=float(report.cost_usd))
            on = (call.connected_at or call.created_at).date()
            Call.objects.filter(pk=call.pk).update(usage=usage, cost_usd=cost_of(usage, on))
            note_day_change(call.organization_id, call.created_at)
        _add_lines(call, leg, report.lines)
        if is_first:
            CallEvent.objects.create(
                call=call,
                kind="vapi_report",
                at=now,
                detail={"reason": stored.ended_reason},
            )
    if report.has_recording:
        keep_recording(stored)
    if leg.carries_phone:
        end_carried_call(leg, stored.ended_reason, at=stored.ended_at or now)


def end_carried_call(leg: VapiLeg, ended_reason: str, *, at: dt.datetime) -> None:
    """End a call whose phone call VAPI carried. Of any other, the process that carries it writes the end."""
    call = Call.objects.get(pk=leg.call_id)
    finish_call(call.pk, reason=end_reason_of(ended_reason), at=possible_end(call, at))


def _add_lines(call: Call, leg: VapiLeg, lines: Sequence[SpokenLine]) -> None:
    """The transcript of a call that has none: the bridge's own has been cut to what the caller heard, and stands."""
    prefix = f"vapi_{leg.vapi_id[:40]}_"
    if not lines or TranscriptLine.objects.filter(call=call).exclude(item_id__startswith=prefix).exists():
        return
    rows, turn, at_ms, has_words = [], 0, 0, keeps_words(call)
    for number, line in enumerate(lines, 1):
        turn += line.speaker == "caller"
        at_ms = max(at_ms, line.at_ms or 0)
        rows.append(
            TranscriptLine(
                call=call,
                item_id=f"{prefix}{number}",
                speaker=TranscriptLine.Speaker(line.speaker),
                text=line.text if has_words else "",
                spoken_at_ms=at_ms,
                turn=turn,
            )
        )
    TranscriptLine.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=("call", "item_id"),
        update_fields=("speaker", "text", "spoken_at_ms", "turn"),
    )


def _to_open(url: str) -> str:
    """Only https, for somebody may open it from the call's page."""
    return url if url.startswith("https://") else ""
