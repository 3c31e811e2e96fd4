"""The call of a browser's dialer: begun at once, or not at all; and taken up again by the page that lost its socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import TERMINAL_STATES, Call, CallKind, CallState
from sessions.calls.services import LEASE, record_event
from voiceapp.core.metrics import calls_refused
from voiceapp.core.serving import process_name

from ..access import Caller, caller_of_socket, language_of_socket
from ..admission import Admission, admit
from ..opening import NoPageCall, open_page_call

FULL = _("All lines are busy. Call again in a few minutes.")
NOT_YOURS = _("There is no such call for you. Call again.")
CODES = {401: "signed_out", 403: "not_allowed", 404: "not_allowed"}


class CallRefused(Exception):
    """There is no call; `code` is one of the page's problems (static/voiceapp/call/problems.mjs)."""

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class PageCall:
    """A call of a page that may have it. `ended`: why it is over, if it is."""

    call_id: UUID
    sees_cost: bool
    ended: EndReason | None = None


def begin_call(handshake: Mapping[str, Any], slug: str, *, address: str, has_place: bool) -> PageCall:
    """The new call of whoever opened the socket, which this process carries. Raises CallRefused."""
    with _refusals(handshake):
        caller = caller_of_socket(handshake, slug)
        if not has_place:
            calls_refused.labels("server").inc()
            raise CallRefused("refused", FULL)
        with admit(caller, address=address) as admission:
            return PageCall(_begin(caller, admission), caller.sees_cost)


def find_again(handshake: Mapping[str, Any], slug: str, call_id: str) -> PageCall:
    """The call that whoever opened the socket has begun, at whichever process. Raises CallRefused."""
    with _refusals(handshake):
        caller = caller_of_socket(handshake, slug)
    own = Call.objects.filter(
        organization=caller.organization, owner=caller.principal.subject, kind=CallKind.BROWSER, carrier_sid=None
    )
    try:
        call = own.filter(pk=UUID(call_id)).first()
    except ValueError:
        call = None
    if call is None:
        raise CallRefused("refused", NOT_YOURS)
    ended = EndReason(call.end_reason) if call.state in TERMINAL_STATES else None
    return PageCall(call.pk, caller.sees_cost, ended)


@contextmanager
def _refusals(handshake: Mapping[str, Any]) -> Iterator[None]:
    """In the language of the page."""
    try:
        with translation.override(language_of_socket(handshake)):
            yield
    except APIException as exc:
        raise CallRefused(CODES.get(exc.status_code, "refused"), gettext(str(exc.detail))) from exc
    except NoPageCall as exc:
        raise CallRefused("refused", gettext(str(exc))) from exc


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
