"""A caller whom no person took: back to the agent, with a stream of its own, or to a message."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from agents.transfers.models import IfNobody
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from telephony.twilio.models import MediaStream

from .models import Transfer
from .progress import lock

TOKEN_LIFETIME = dt.timedelta(seconds=60)


def stream_back(transfer: Transfer) -> MediaStream | None:
    """The stream with which the caller returns to the agent; the same for a repeated request. None: take a message.

    Where a message is taken, the agent's part of the call is over.
    """
    with transaction.atomic():
        locked = lock(transfer.pk)
        now = timezone.now()
        Transfer.objects.filter(pk=locked.pk, returned_at=None).update(returned_at=now)
        if locked.return_stream_id is not None:
            return locked.return_stream
        if locked.if_nobody != IfNobody.AGENT or not locked.call.is_live:
            finish_call(locked.call_id, reason=EndReason.NOBODY_THERE)
            return None
        stream = MediaStream.objects.create(
            call=locked.call,
            account_sid=locked.stream.account_sid,
            sealed_call_token=locked.stream.sealed_call_token,
            expires_at=now + TOKEN_LIFETIME,
            is_return=True,
        )
        Transfer.objects.filter(pk=locked.pk).update(return_stream=stream)
        Call.objects.live().filter(pk=locked.call_id).update(lease_expires_at=now + TOKEN_LIFETIME)
        return stream
