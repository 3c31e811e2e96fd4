"""Whether a call may begin now: a visitor's within the limits and the day's budget; staff always may."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from agents.call_page.models import CallPage, call_page_of
from agents.configuration.models import AgentVersion
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.realtime.services.instructions import default_persona
from sessions.visitors.models import VisitorCall
from sessions.visitors.queries import charged_usd
from sessions.visitors.services import (
    BudgetUsed,
    NoPlace,
    NotPriced,
    TokenUsed,
    belongs_to,
    limit_of,
    next_midnight,
    release,
    reserve_call,
)
from telephony.twilio.models import PhoneNumber
from voiceapp.core.api.errors import ApiError, Problem
from voiceapp.core.http.client_address import network_of
from voiceapp.core.limits.counting import CountersUnavailable, count, refund
from voiceapp.core.limits.limit import VISITOR_CALL, VISITOR_CALL_ADDRESS, Limit
from voiceapp.core.limits.usage import Usage, counters_unavailable
from voiceapp.core.phones.numbers import show_number

from .access import TOKEN_EXPIRED, Caller

TOKEN_USED = Problem(
    409, "Token used", _("This page has begun a call already. Reload it to call again."), code="token_used"
)
NOT_OPEN = Problem(503, "Not open", _("Nobody can take calls on this page now."), code="not_open")
TOO_MANY = Problem(429, "Too many calls", _("Too many calls came from here."), code="too_many_calls")
LINES_BUSY = Problem(
    429, "All lines are busy", _("All lines of this page are busy. Try again in a minute."), code="lines_busy"
)
BUDGET_USED = Problem(429, "No more calls today", _("This page takes no more calls today."), code="budget_used")
TRY_AGAIN_S = 60

Counted = list[tuple[Limit, str, Usage]]


class Admission:
    """A call that may begin; `took` says which one it became."""

    def __init__(self, reservation: VisitorCall | None) -> None:
        self._reservation = reservation
        self.is_taken = False

    def took(self, call: Call) -> None:
        """Right after its row was written: whatever happens to the call then decides what it has cost."""
        self.is_taken = True
        if self._reservation is not None:
            belongs_to(self._reservation, call)


@contextmanager
def admit(caller: Caller, *, address: str) -> Iterator[Admission]:
    """Begin the call inside. Raises ApiError with what the page says. Without a call nothing is counted or reserved."""
    if caller.token is None:
        yield Admission(None)
        return
    page = call_page_of(caller.organization)
    counted: Counted = []
    reservation: VisitorCall | None = None
    admission: Admission | None = None
    try:
        _count(caller, address, counted)
        reservation = _reserve(caller, page)
        admission = Admission(reservation)
        yield admission
    finally:
        if admission is None or not admission.is_taken:
            if reservation is not None:
                release(reservation)
            for each in counted:
                refund(*each)


def why_closed(page: CallPage) -> str:
    """What the page says instead of offering a call to a visitor; empty while one may begin."""
    organization = page.organization
    persona = _persona_of(organization)
    limit = limit_of(page, persona) if persona else None
    if limit is None:
        return _or_ring(organization, gettext(NOT_OPEN.message))
    local_now = timezone.now().astimezone(organization.zone)
    charged = charged_usd(organization, local_now.date())
    is_over = charged + Decimal(str(limit.most_usd)) > page.daily_budget_usd
    return _come_back(organization) if is_over else ""


def _count(caller: Caller, address: str, counted: Counted) -> None:
    organization = caller.organization
    for limit, client in (
        (VISITOR_CALL_ADDRESS, f"{organization.pk} address:{network_of(address)}"),
        (VISITOR_CALL, str(organization.pk)),
    ):
        try:
            usage = count(limit, client)
        except CountersUnavailable as exc:
            raise counters_unavailable(Usage.without_counters(limit.rate, is_open=False)) from exc
        counted.append((limit, client, usage))
        if usage.is_exceeded:
            wait = math.ceil(usage.retry_after_s / 60)
            message = gettext("Too many calls came from here. Try again in %(minutes)s min.") % {"minutes": wait}
            raise TOO_MANY.error(_or_ring(organization, message), retry_after_s=usage.retry_after_s)


def _reserve(caller: Caller, page: CallPage) -> VisitorCall:
    organization, persona = caller.organization, _persona_of(caller.organization)
    token = caller.token
    if token is None or not token.may_begin:
        raise TOKEN_EXPIRED.error()
    if persona is None:
        raise NOT_OPEN.error(_or_ring(organization, gettext(NOT_OPEN.message)))
    try:
        return reserve_call(page, persona, token_id=token.id)
    except TokenUsed as exc:
        raise TOKEN_USED.error() from exc
    except NoPlace as exc:
        raise LINES_BUSY.error(_or_ring(organization, gettext(LINES_BUSY.message)), retry_after_s=TRY_AGAIN_S) from exc
    except NotPriced as exc:
        raise NOT_OPEN.error(_or_ring(organization, gettext(NOT_OPEN.message))) from exc
    except BudgetUsed as exc:
        raise _budget_used(organization, exc.until) from exc


def _budget_used(organization: Organization, until: dt.datetime) -> ApiError:
    wait_s = math.ceil((until - timezone.now()).total_seconds())
    return BUDGET_USED.error(_come_back(organization), retry_after_s=max(1, wait_s))


def _come_back(organization: Organization) -> str:
    midnight = next_midnight(timezone.now().astimezone(organization.zone))
    sentence = gettext(
        "This page takes no more calls today. Come back after midnight (%(weekday)s 00:00, %(time_zone)s)."
    )
    when = {"weekday": formats.date_format(midnight, "l"), "time_zone": organization.zone.key}
    return _or_ring(organization, sentence % when)


def _persona_of(organization: Organization) -> AgentVersion | None:
    """The published default agent; None while it is paused."""
    persona = default_persona(organization.pk)
    return None if persona is None or persona.agent.is_paused else persona


def _or_ring(organization: Organization, sentence: str) -> str:
    """With the number that callers can ring instead, where there is one."""
    number = PhoneNumber.objects.filter(organization=organization, is_active=True).order_by("pk").first()
    if number is None:
        return sentence
    words = {"sentence": sentence.removesuffix("."), "number": show_number(number.number)}
    return gettext("%(sentence)s, or ring %(number)s.") % words
