"""The day plan's page, its feed, and what its buttons and forms do."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.catalog.models import Service
from agents.hours.local_time import when
from agents.hours.schedule import ONE_DAY
from agents.organizations.access import Access, access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from sessions.appointments.feeds import topic_of
from sessions.appointments.models import (
    LONGEST_CUSTOMER,
    LONGEST_NOTE,
    LONGEST_VEHICLE,
    Appointment,
    AppointmentEvent,
    AppointmentState,
)
from sessions.appointments.services.booking import Customer, Origin, cancel_appointment
from sessions.appointments.services.by_hand import book_by_hand, move_by_hand
from sessions.appointments.services.states import BEFORE, close_appointment
from sessions.appointments.services.undoing import undo_change
from sessions.messages.texts.models import text_settings_of
from sessions.moves import LONGEST_REASON
from voiceapp.console.boards import board_buttons, board_feed, board_texts, chosen_board, number_of, uuid_of
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import LONGEST_TYPED

from .cards import Viewer, may_undo, read_plan, title_of
from .entered import date_of, entered_resource, entered_start, line_of, required_line_of
from .texts import page_texts, reasons


def choose(request: HttpRequest) -> HttpResponseBase:
    """The plan of the user's only organization with resources, or a choice."""
    visible = _visible(request)
    with_resources = visible.filter(resources__isnull=False).distinct()
    mine = list((with_resources if with_resources.exists() else visible)[:100])
    return chosen_board(request, mine, page="day-plan", title=_("Day plan"))


def plan(request: HttpRequest, organization_id: str) -> HttpResponse:
    """The page: it fills itself from what it brings along, then from its feed."""
    viewer, organization = _viewer(request, organization_id)
    now = timezone.now()
    today = now.astimezone(organization.zone).date()
    texts = text_settings_of(organization)
    context = {
        "organization": organization,
        "viewer": viewer,
        "date": viewer.date,
        "title": title_of(viewer.date, today),
        "is_today": viewer.date == today,
        "before": viewer.date - ONE_DAY,
        "after": viewer.date + ONE_DAY,
        "events": [{"name": each.name, "id": each.id, "data": each.data} for each in read_plan(viewer)],
        "board_texts": board_texts(
            offline=_("Offline: what you see may be out of date. Changes appear when the connection is back.")
        ),
        "plan_texts": page_texts(),
        "reasons": reasons(),
        "services": organization.services.filter(is_active=True),
        "resources": organization.resources.filter(is_active=True),
        "tells_customer": texts.is_on and texts.confirms_appointments,
        "longest": {
            "reason": LONGEST_REASON,
            "name": LONGEST_CUSTOMER,
            "vehicle": LONGEST_VEHICLE,
            "note": LONGEST_NOTE,
            "number": LONGEST_TYPED,
        },
        "now_s": int(now.timestamp()),
        "may_set_up": access_of(request).may(Area.MENU, Power.EDIT, organization.pk),
    }
    return TemplateResponse(request, "admin/day_plan/plan.html", context)


def _notes(request: HttpRequest, organization_id: str) -> tuple[Organization, bool]:
    viewer, organization = _viewer(request, organization_id)
    return organization, viewer.operates


def _edits(request: HttpRequest, organization_id: str) -> tuple[Organization, bool]:
    viewer, organization = _viewer(request, organization_id)
    return organization, viewer.edits


@board_buttons(_edits)
def move(request: HttpRequest, organization: Organization, appointment_id: str) -> str:
    appointment = _appointment(organization, appointment_id)
    start = entered_start(request, organization)
    moved = move_by_hand(
        appointment,
        start,
        by=request.user.get_username(),
        resource=entered_resource(request, organization),
        seen=number_of(request.POST.get("seen", "")),
    )
    return _("%(appointment)s is on %(start)s.") % {"appointment": moved, "start": _start(moved, organization)}


@board_buttons(_notes)
def state(request: HttpRequest, organization: Organization, appointment_id: str) -> str:
    appointment = _appointment(organization, appointment_id)
    to = request.POST.get("to", "")
    if to not in BEFORE:
        raise ApplicationError(_("The page is out of date. Reload it."))
    close_appointment(
        appointment, AppointmentState(to), by=request.user.get_username(), seen=request.POST.get("seen", "")[:20]
    )
    label = AppointmentState(to).label
    return _("%(appointment)s: %(state)s.") % {"appointment": appointment, "state": label}


@board_buttons(_edits)
def cancel(request: HttpRequest, organization: Organization, appointment_id: str) -> str:
    appointment = _appointment(organization, appointment_id)
    reason = line_of(request, "reason", _("Reason"), longest=LONGEST_REASON)
    if not reason:
        raise ApplicationError(_("Enter a reason: it is kept with the appointment."))
    origin = Origin(person=request.user.get_username())
    cancel_appointment(appointment, origin, reason=reason, seen=number_of(request.POST.get("seen", "")))
    return _("%(appointment)s is canceled.") % {"appointment": appointment}


@board_buttons(_notes)
def undo(request: HttpRequest, organization: Organization, appointment_id: str) -> str:
    appointment = _appointment(organization, appointment_id)
    event_id = number_of(request.POST.get("event", ""))
    event = AppointmentEvent.objects.filter(appointment=appointment, pk=event_id).first()
    viewer, _organization = _viewer(request, str(organization.pk))
    if event is not None:
        event.appointment = appointment
        if not viewer.edits and not may_undo(event, viewer):
            raise ApplicationError(_("Your role may not undo this. Ask an owner for another role."))
    undo_change(appointment, event_id=event_id, by=request.user.get_username())
    return _("%(appointment)s is put back.") % {"appointment": appointment}


@board_buttons(_edits)
def book(request: HttpRequest, organization: Organization) -> str:
    service = Service.objects.filter(
        organization=organization, is_active=True, pk=number_of(request.POST.get("service", ""))
    ).first()
    if service is None:
        raise ApplicationError(_("Choose a service."))
    customer = Customer(
        required_line_of(request, "name", _("Customer's name"), longest=LONGEST_CUSTOMER),
        line_of(request, "number", _("Phone number"), longest=LONGEST_TYPED),
        line_of(request, "vehicle", _("Vehicle"), longest=LONGEST_VEHICLE),
        line_of(request, "note", _("Note"), longest=LONGEST_NOTE),
    )
    booked = book_by_hand(
        service,
        entered_start(request, organization),
        customer,
        by=request.user.get_username(),
        resource=entered_resource(request, organization),
        key=required_line_of(request, "key", "key", longest=64),
    )
    return _("%(appointment)s is booked on %(start)s.") % {
        "appointment": booked,
        "start": _start(booked, organization),
    }


def _start(appointment: Appointment, organization: Organization) -> str:
    return when(appointment.starts_at, organization.zone)


def _visible(request: HttpRequest) -> Any:
    return Organization.objects.visible_to(access_of(request).principal(Area.APPOINTMENTS))


def _viewer(request: HttpRequest, organization_id: str) -> tuple[Viewer, Organization]:
    """To those who may not see its appointments the organization does not exist."""
    organization = get_object_or_404(_visible(request), pk=uuid_of(organization_id))
    date = date_of(request, organization)
    return _viewer_of(access_of(request), organization.pk, date, get_language() or ""), organization


def _viewer_of(access: Access, organization_id: UUID, date: dt.date, language: str) -> Viewer:
    edits = access.may(Area.APPOINTMENTS, Power.EDIT, organization_id)
    return Viewer(
        organization_id,
        date,
        language,
        operates=access.may(Area.APPOINTMENTS, Power.OPERATE, organization_id),
        edits=edits,
        # Those who may move it may have to ring the customer.
        sees_numbers=edits or access.sees_numbers_of(organization_id),
    )


def _viewer_now(access: Access, viewer: Viewer) -> Viewer:
    return _viewer_of(access, viewer.organization_id, viewer.date, viewer.language)


def _appointment(organization: Organization, appointment_id: str) -> Appointment:
    rows = Appointment.objects.select_related("organization", "service", "call").filter(organization=organization)
    return get_object_or_404(rows, pk=uuid_of(appointment_id))


feed = board_feed(_viewer, topic_of=topic_of, read=read_plan, now_for=_viewer_now)
