"""How a call is going, as its page shows it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from agents.hours.local_time import when
from sessions.appointments.models import DraftAppointment
from sessions.appointments.wording import say_start
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.orders.models import DraftOrder, Order, OrderState
from sessions.orders.services.drafts import draft_view
from sessions.rooms.services.agents import agent_of
from sessions.rooms.services.room_state import message_about


def progress_of(call: Call, *, is_operator: bool = False) -> dict[str, Any]:
    """`is_operator`: with what the call costs, and where its log is."""
    agent = agent_of(call)
    progress = {
        "state": call.state,
        "endReason": gettext(EndReason(call.end_reason).label) if call.end_reason else "",
        "durationS": call.duration_so_far_s,
        "agentStatus": agent.status if agent else None,
        "message": message_about(agent) if agent else "",
        "order": _running_order(call),
        "submitted": _submitted(call),
        "appointment": _appointment(call),
        "responseMs": list(call.turns.exclude(response_ms=None).values_list("response_ms", flat=True)),
    }
    if not is_operator:
        return progress
    log_url = reverse("admin:voice_sessions_call_change", args=[call.pk])
    return {**progress, "cost": None if call.cost_usd is None else f"{call.cost_usd:.4f}", "logUrl": log_url}


def _running_order(call: Call) -> object:
    draft = DraftOrder.objects.filter(call=call).first()
    if draft is None or not draft.lines or call.organization is None:
        return None
    return draft_view(call.organization, draft).shown()


def _submitted(call: Call) -> object:
    order = Order.objects.filter(call=call).exclude(state=OrderState.REPLACED).order_by("-number").first()
    return {"number": order.number, "total": str(order.total), "currency": order.currency} if order else None


def _appointment(call: Call) -> dict[str, Any] | None:
    """What the call is about to book, move or cancel; with `number` and `state` once it has done so."""
    drafts = DraftAppointment.objects.select_related("service", "appointment").filter(call=call)
    draft = drafts.first()
    if draft is None or call.organization is None:
        return None
    made = draft.appointment if draft.carried_out_version == draft.version else None
    shown = made or draft
    named = draft.appointment.service_name if draft.appointment else ""
    service = draft.service.name if draft.service else named
    return {
        "number": made.number if made else None,
        "state": made.get_state_display().lower() if made else "",
        "service": made.service_name if made else service,
        "when": _when(shown.starts_at, call.organization.zone) if shown.starts_at else "",
        "name": shown.customer_name,
        "vehicle": shown.vehicle,
        "price": "" if shown.price is None else f"{shown.price:.2f}",
        "currency": call.organization.currency,
    }


def _when(start: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """As the agent says it in English; else as it is written."""
    is_english = translation.get_language() == "en"
    return say_start(start, timezone.now(), zone) if is_english else when(start, zone)
