"""Request from VAPI what its webhooks have not brought: the report of each call that is over."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.services import finish_call, record_event
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.vapi.client import VapiClient, VapiError, VapiErrorKind

from .models import VapiLeg
from .reports import REPORT_WITHIN, apply_report, end_carried_call, read_report

logger = structlog.get_logger("vapi")

# How often this runs: voiceapp/celery.py.
MAX_AT_ONCE = 50
MAX_RUN = dt.timedelta(seconds=20)
# Each further request for the same call waits longer; then no report will come.
WAITS_S = (30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
# VAPI's own limit of a call's duration is 12 hours.
LONGEST_CALL = dt.timedelta(hours=12)


def reconcile_vapi_calls() -> int:
    """How many were reported. Safe to run in several places at once, and again."""
    began = timezone.now()
    legs = list(_due(began)[:MAX_AT_ONCE])
    if not legs:
        return 0
    try:
        client = VapiClient.from_settings()
    except VapiError as error:
        logger.warning("VAPI's calls not reconciled", waiting=len(legs), error=str(error))
        return 0
    reported = 0
    for leg in legs:
        release_connections()
        reported += _reconcile(leg, client)
        if timezone.now() > began + MAX_RUN:
            break
    return reported


def _due(now: dt.datetime) -> QuerySet[VapiLeg]:
    """Calls that have been over for a while, and those that only VAPI's messages would end."""
    is_over = Q(call__ended_at__lte=now - REPORT_WITHIN) | Q(status="ended")
    rows = VapiLeg.objects.filter(is_over | Q(carries_phone=True), reported_at=None, check_at__lte=now)
    return rows.select_related("call").order_by("check_at")


def _reconcile(leg: VapiLeg, client: VapiClient) -> bool:
    try:
        found = client.get_call(leg.vapi_id)
    except VapiError as error:
        logger.warning("call not reported by VAPI", vapi_id=leg.vapi_id, error=str(error))
        if error.kind is VapiErrorKind.NOT_FOUND:
            _is_unknown(leg)
        else:
            _check_later(leg)
        return False
    if found.is_over:
        try:
            apply_report(leg, read_report(found.fields))
        except ProviderError as error:
            logger.warning("recording at VAPI not kept", vapi_id=leg.vapi_id, error=str(error))
        return True
    VapiLeg.objects.filter(pk=leg.pk).update(status=found.status[:24])
    if not leg.call.is_live and client.end_call(found):
        # It has no caller any more, and costs money.
        record_event(leg.call_id, "vapi_call_ended_by_us")
    _check_later(leg)
    return False


def _is_unknown(leg: VapiLeg) -> None:
    VapiLeg.objects.filter(pk=leg.pk).update(status="not-found", check_at=None)
    if leg.carries_phone:
        end_carried_call(leg, "", at=timezone.now())


def _check_later(leg: VapiLeg) -> None:
    """A call that goes on at VAPI is requested for as long as one can last."""
    now = timezone.now()
    is_hopeless = leg.checks >= len(WAITS_S)
    if leg.carries_phone and leg.call.is_live:
        if now - leg.created_at > LONGEST_CALL:
            finish_call(leg.call_id, reason=EndReason.LOST_PROCESS)
        is_hopeless = False
    wait = dt.timedelta(seconds=WAITS_S[min(leg.checks, 3 if leg.call.is_live else len(WAITS_S) - 1)])
    # Another run may have requested it as well: that is counted once.
    VapiLeg.objects.filter(pk=leg.pk, checks=leg.checks).update(
        checks=leg.checks + 1, check_at=None if is_hopeless else now + wait
    )
    if is_hopeless:
        record_event(leg.call_id, "vapi_report_missing")
