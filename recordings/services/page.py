"""A recording that the caller's page makes of a call over WebRTC, whose sound passes no server of ours.

The caller agreed to it before the call. A row from the first piece, then its end.
"""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings.finishing.services import enqueue_finishing
from recordings.models import Recording
from recordings.sources.page import EBML, MissingPiece, write_piece
from sessions.calls.facts import BROWSER_JOINED
from sessions.calls.models import Call, CallState
from sessions.calls.services import record_event
from voiceapp.core.errors import ApplicationError

from .declining import DECLINED, lock_call

State = Recording.State
PAGE = Recording.Source.PAGE

# Six times what a page sends of the longest call.
MOST_BYTES = 256 * 1024 * 1024
# The last pieces come when the call is over; after that the page is gone.
SENT_WITHIN = dt.timedelta(minutes=2)
LONGEST_AGE_MS = 30_000
TOO_LONG = "The page has sent more than a call can last."
NOT_ALL_SENT = "The caller's page did not send the rest."
LOST_PIECE = "A part of what the page had sent was lost."
MOST_AT_ONCE = 200


class PieceRefused(ApplicationError):
    """Nothing of this call is taken, or nothing more. The page stops."""

    message = "This call is not recorded, or not any more."


class NoSound(ApplicationError):
    message = "This is no WebM file."


def take_piece(
    call: Call,
    piece: bytes,
    *,
    at: int,
    age_ms: int = 0,
    since_joined_ms: int | None = None,
    is_last: bool = False,
) -> int:
    """How much of the file is here now, in bytes.

    `at`: the place of the piece in it. `age_ms`: for how long the page had recorded when it sent the first one.
    `since_joined_ms`: how long after it had joined it began. Raises PieceRefused, NoSound, and OSError for the disk.
    """
    if at == 0 and not piece.startswith(EBML):
        raise NoSound
    recording = _running(call) or (_begin(call, age_ms=age_ms, since_joined_ms=since_joined_ms) if at == 0 else None)
    if recording is None or recording.external_id is None:
        raise PieceRefused
    if recording.call.recording_declined_at is not None:
        _end(recording, fault=DECLINED)  # a legal hold keeps what came before
        raise PieceRefused
    if at + len(piece) > MOST_BYTES:
        _end(recording, fault=TOO_LONG)
        raise PieceRefused
    try:
        size = write_piece(recording.external_id, piece, at=at)
    except MissingPiece as exc:
        _end(recording, fault=LOST_PIECE)
        raise PieceRefused from exc
    if is_last:
        _end(recording, fault="")
    return size


def end_lost_page_recordings() -> int:
    """Of calls that are over, and whose page said no last word. Returns how many."""
    lost = Recording.objects.filter(source=PAGE, state=State.RECORDING)
    lost = lost.filter(call__ended_at__lt=timezone.now() - SENT_WITHIN)
    return sum(_end(each, fault=NOT_ALL_SENT) for each in lost.select_related("call__organization")[:MOST_AT_ONCE])


def _running(call: Call) -> Recording | None:
    running = Recording.objects.filter(call=call, source=PAGE, state=State.RECORDING)
    return running.select_related("call__organization").first()


def _begin(call: Call, *, age_ms: int, since_joined_ms: int | None) -> Recording | None:
    """None if the call is not to be recorded, was recorded already, or is over."""
    now = timezone.now()
    try:
        with transaction.atomic():
            current = lock_call(call.pk)
            is_wanted = current.is_recording_wanted and current.recording_declined_at is None
            if not is_wanted or current.state != CallState.CONNECTED or current.recordings.exists():
                return None
            recording = Recording.objects.create(
                call=current,
                source=PAGE,
                external_id=uuid4().hex,
                state=State.RECORDING,
                file_type=Recording.FileType.OGG,
                channels=2,
                is_automatic=True,
                # The finishing finds it again by what the agent said, if that was enough.
                starts_at_ms=_starts_at_ms(current, since_joined_ms),
                started_at=now - dt.timedelta(milliseconds=min(max(age_ms, 0), LONGEST_AGE_MS)),
            )
            record_event(call.pk, "recording_started", {"source": PAGE.value})
    except IntegrityError:
        return _running(call)
    return recording


def _starts_at_ms(call: Call, since_joined_ms: int | None) -> int:
    """On the call's clock, by which the page joined; 0 if that is not known yet."""
    if since_joined_ms is None:
        return 0
    joined = call.events.filter(kind=BROWSER_JOINED).order_by("id")
    joined_ms = joined.values_list("at_ms", flat=True).first()
    return 0 if joined_ms is None else joined_ms + min(max(since_joined_ms, 0), LONGEST_AGE_MS)


def _end(recording: Recording, *, fault: str) -> bool:
    with transaction.atomic():
        running = Recording.objects.filter(pk=recording.pk, state=State.RECORDING)
        running.update(ended_at=timezone.now(), broken_off_by=fault)
        return enqueue_finishing(recording)
