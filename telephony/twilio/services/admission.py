"""Which organization's line was rung, and who answers it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from agents.configuration.models import Agent
from agents.hours.queries import is_open
from agents.organizations.models import Organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.feeds import announce_calls
from sessions.calls.models import CARRIED, Call, CallState
from sessions.calls.services import finish_call, record_event
from telephony.events.models import ProviderEvent
from telephony.twilio.models import MediaStream, PhoneNumber
from voiceapp.core.metrics import calls_refused
from voiceapp.core.phones.numbers import CallerKind, read_caller
from voiceapp.core.serving import process_name, serving
from voiceapp.core.transactions import serialize

from .statuses import OVER_AT_THE_CARRIER, lock_of

SLUG = re.compile(r"[A-Za-z0-9_-]{1,50}")


@dataclass(frozen=True, slots=True)
class Line:
    """What was rung. `agrees` is False when the number dialed and the address name different organizations."""

    organization: Organization
    agent: Agent | None
    agrees: bool = True
    is_switched_off: bool = False


def find_line(*, dialed: str, org_id: str) -> Line | None:
    """The line by the number dialed, else by the organization that the webhook's address names."""
    number = PhoneNumber.objects.select_related("organization").order_by().filter(number=dialed).first()
    if number is None:
        named = find_organization(org_id)
        return Line(named, default_agent(named)) if named else None
    organization = number.organization
    return Line(
        organization,
        _own_agent(number) or default_agent(organization),
        agrees=not org_id or is_named(org_id, organization),
        is_switched_off=not number.is_active,
    )


def is_named(org_id: str, organization: Organization) -> bool:
    """Whether this is the organization's id or slug."""
    return org_id in (str(organization.pk), organization.slug) or find_organization(org_id) == organization


def find_organization(org_id: str) -> Organization | None:
    """By its id, or by its slug."""
    try:
        return Organization.objects.filter(id=UUID(org_id)).first()
    except ValueError:
        return Organization.objects.filter(slug=org_id).first() if SLUG.fullmatch(org_id) else None


def _own_agent(number: PhoneNumber) -> Agent | None:
    if number.agent_id is None:
        return None
    return Agent.objects.select_related("published_version").filter(pk=number.agent_id).first()


def default_agent(organization: Organization) -> Agent | None:
    """Which agent answers where the number names none."""
    return organization.agents.select_related("published_version").filter(is_default=True).first()


logger = structlog.get_logger("webhooks")

TOKEN_LIFETIME = dt.timedelta(seconds=60)
CALLS_AT_ONCE_PER_CALLER = 2


@dataclass(frozen=True, slots=True)
class Ring:
    """What the carrier says of a call that comes in. `org_id` is what the webhook's address names, if anything."""

    call_sid: str
    account_sid: str
    caller: str
    dialed: str
    org_id: str = ""
    call_token: str = field(default="", repr=False)


class OtherCall(Exception):
    """The CallSid belongs to a call of another organization or number than the request names."""


def open_call(ring: Ring, *, is_streamed: bool = True) -> Call:
    """The call of this ring. A repeated or parallel request finds the same one; raises OtherCall if it is another's.

    Admitted: `ringing`, with a media stream whose token holds for a minute. Otherwise `missed`, with the reason.
    `is_streamed`: its audio comes to us. A call whose audio does not takes no place in this process and has no lease.
    """
    line = find_line(dialed=ring.dialed, org_id=ring.org_id)
    refusal = _why_not(line, timezone.now())
    with transaction.atomic():
        serialize(*_locks(ring, line))
        return _known_call(ring) or _new_call(ring, line, refusal, is_streamed=is_streamed)


def _locks(ring: Ring, line: Line | None) -> list[str]:
    """The call is opened once; limits are counted and the call added in one turn of the organization and the caller.

    There is none for all organizations: one's busy hour delays no other's callers.
    """
    locks = [lock_of(ring.call_sid)]
    if line is not None:
        locks.append(f"telephony.organization:{line.organization.id}")
        if _shows_number(ring):
            locks.append(f"telephony.caller:{ring.caller}")
    return locks


def _known_call(ring: Ring) -> Call | None:
    call = Call.objects.filter(carrier_sid=ring.call_sid).first()  # nearly always none: nothing is joined
    if call is not None and not _is_same(call, ring):
        raise OtherCall(ring.call_sid)
    return call


def _is_same(call: Call, ring: Ring) -> bool:
    if call.dialed_number != ring.dialed:
        return False
    if not ring.org_id or call.end_reason == EndReason.UNKNOWN_NUMBER:
        return True
    return call.organization is not None and is_named(ring.org_id, call.organization)


def _new_call(ring: Ring, line: Line | None, refusal: Refusal | None, *, is_streamed: bool) -> Call:
    now = timezone.now()
    if line is not None and refusal is None and (limit := _limit_reached(line, ring)):
        refusal = Refusal(EndReason.LINE_FULL, limit)
        calls_refused.labels(limit).inc()
    call = Call.objects.create(
        organization=line.organization if line else None,
        agent=line.agent if line else None,
        agent_version=line.agent.published_version if line and line.agent else None,
        carrier_sid=ring.call_sid,
        caller_number=ring.caller,
        dialed_number=ring.dialed,
        state=CallState.RINGING,
        process=process_name() if is_streamed else "",
        lease_expires_at=now + TOKEN_LIFETIME if is_streamed else None,
    )
    record_event(call.id, "ringing", {"refused_for": refusal.rule} if refusal else {})
    announce_calls(call.organization_id, call.id)
    if refusal is None:
        if is_streamed:
            stream = MediaStream(call=call, account_sid=ring.account_sid, expires_at=now + TOKEN_LIFETIME)
            stream.call_token = ring.call_token
            stream.save(force_insert=True)
    else:
        logger.info("call refused", call_id=str(call.id), reason=refusal.reason.value, detail=refusal.rule)
        finish_call(call.id, reason=refusal.reason)
    is_over = _catch_up(call)
    if refusal or is_over:
        call.refresh_from_db(fields=["state", "end_reason", "ended_at", "lease_expires_at"])
    return call


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not taken, and which rule said so."""

    reason: EndReason
    rule: str


def _why_not(line: Line | None, now: dt.datetime) -> Refusal | None:
    """Why no call is taken on this line now, limits aside."""
    if line is None:
        return Refusal(EndReason.UNKNOWN_NUMBER, "unknown_number")
    if not line.agrees:
        return Refusal(EndReason.UNKNOWN_NUMBER, "number_and_address_disagree")
    if line.is_switched_off:
        return Refusal(EndReason.NUMBER_SWITCHED_OFF, "number_switched_off")
    if line.agent is None:
        return Refusal(EndReason.NO_AGENT, "no_agent")
    # Before "paused": letting a paused agent answer again would not help one that was never published.
    if line.agent.published_version is None:
        return Refusal(EndReason.AGENT_NOT_PUBLISHED, "not_published")
    if line.agent.is_paused:
        return Refusal(EndReason.AGENT_PAUSED, "paused")
    if not is_open(line.organization, now):
        return Refusal(EndReason.CLOSED_HOURS, "closed")
    return None


def _limit_reached(line: Line, ring: Ring) -> str:
    """Which limit of live calls leaves no place; empty if there is one."""
    if serving.is_draining:
        return "draining"
    of_organization = Q(organization=line.organization)
    of_process = Q(process=process_name())
    # Those who hide their numbers, or come through one SIP address, are not one caller.
    of_caller = Q(caller_number=ring.caller) if _shows_number(ring) else Q(pk__in=())
    counts = (
        Call.objects.live()
        .filter(of_organization | of_process | of_caller, kind__in=CARRIED)
        .aggregate(
            organization=Count("id", filter=of_organization),
            process=Count("id", filter=of_process),
            caller=Count("id", filter=of_caller),
        )
    )
    if counts["organization"] >= line.organization.max_live_calls:
        return "organization"
    if counts["process"] >= settings.MAX_LIVE_CALLS:
        return "server"
    return "caller" if counts["caller"] >= CALLS_AT_ONCE_PER_CALLER else ""


def _shows_number(ring: Ring) -> bool:
    return read_caller(ring.caller).kind is CallerKind.NUMBER


def _catch_up(call: Call) -> bool:
    """Callbacks may overtake the webhook: claim those that came first. True if they said that the call is over."""
    earlier = ProviderEvent.objects.filter(
        state=ProviderEvent.State.DONE, partition_key=call.carrier_sid, source="twilio", call=None
    )
    kinds = set(earlier.values_list("kind", flat=True))
    if kinds:
        earlier.update(call=call)
    is_over = any(f"call.{status}" in kinds for status in OVER_AT_THE_CARRIER)
    if is_over:
        finish_call(call.id, reason=EndReason.NOT_ANSWERED)
    return is_over
