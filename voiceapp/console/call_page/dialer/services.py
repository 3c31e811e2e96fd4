"""The call of a browser's dialer: begun at once, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import APIException

from sessions.calls.models import CallState
from sessions.calls.services import LEASE, record_event
from voiceapp.core.metrics import calls_refused
from voiceapp.core.serving import process_name

from ..access import Caller, caller_of_socket
from ..admission import Admission, admit
from ..opening import NoPageCall, open_page_call

FULL = "All lines are busy. Call again in a few minutes."
CODES = {401: "signed_out", 403: "not_allowed", 404: "not_allowed"}


class CallRefused(Exception):
    """There is no call; `code` is one of the page's problems (static/voiceapp/call/problems.mjs)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def begin_call(handshake: Mapping[str, Any], slug: str, *, address: str, has_place: bool) -> UUID:
    """The id of the new call of whoever opened the socket, which this process carries. Raises CallRefused."""
    try:
        caller = caller_of_socket(handshake, slug)
        if not has_place:
            calls_refused.labels("server").inc()
            raise CallRefused("refused", FULL)
        with admit(caller, address=address) as admission:
            return _begin(caller, admission)
    except APIException as exc:
        raise CallRefused(CODES.get(exc.status_code, "refused"), str(exc.detail)) from exc
    except NoPageCall as exc:
        raise CallRefused("refused", str(exc)) from exc


@transaction.atomic
def _begin(caller: Caller, admission: Admission) -> UUID:
    now = timezone.now()
    call = open_page_call(
        caller,
        state=CallState.CONNECTED,
        connected_at=now,
        process=process_name(),
        lease_expires_at=now + LEASE,
    )
    admission.took(call)
    record_event(call.id, "connected", {"line": "dialer"})
    return call.id
