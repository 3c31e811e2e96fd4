"""Appointments: the list by day, the page on which one is booked, moved or canceled, and the drafts of calls."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import ModelAdmin as DjangoModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Service
from agents.hours.local_time import midnights, when, when_of
from agents.organizations.access import access_of, organization_id_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.forms import TenantForm, changed_columns
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display
from sessions.appointments.calendars.services.outgoing import enqueue_calendar_updates
from sessions.calls.admin.call import call_link
from sessions.calls.admin.display import APPOINTMENT_COLORS
from sessions.orders.services.submission import lock_organization
from voiceapp.core.phones.numbers import mask, show_number

from .feeds import announce_appointments
from .models import OPEN_STATES, Appointment, AppointmentState
from .offers import obstacle
from .queries import load_calendar
from .services.booking import (
    Customer,
    Origin,
    book_appointment,
    cancel_appointment,
    move_appointment,
)
from .services.history import Changed, who_changed
from .services.refusals import why_not
from .services.states import close_appointment, may_become

EDITABLE = ("starts_at", "customer_name", "customer_number", "vehicle", "note")


class DayFilter(SimpleListFilter):
    """Today's appointments are one click away; without a choice those are listed that are not over."""

    title = _("day")
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: DjangoModelAdmin[Any]) -> list[tuple[str, str]]:
        return [
            ("today", gettext("Today")),
            ("tomorrow", gettext("Tomorrow")),
            ("week", gettext("Next 7 days")),
            ("past", gettext("Past")),
            ("all", gettext("All")),
        ]

    def choices(self, changelist: Any) -> Any:
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": gettext("Today and later")} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        today = min(midnights(request, timezone.now()).values())
        days = {"today": (0, 1), "tomorrow": (1, 2), "week": (0, 7)}.get(self.value() or "")
        if days is not None:
            first, end = (today + dt.timedelta(days=number) for number in days)
            return queryset.filter(starts_at__gte=first, starts_at__lt=end)
        match self.value():
            case "past":
                return queryset.filter(starts_at__lt=today).order_by("-starts_at")
            case "all":
                return queryset
        return queryset.filter(starts_at__gte=today)


class AppointmentForm(TenantForm):
    """What a person enters is held to hours, absences and other appointments, not to lead time and grid."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        start = cleaned.get("starts_at")
        is_new = self.instance._state.adding
        service = cleaned.get("service") if is_new else self.instance.service
        if start and "starts_at" in self.changed_data and not self.errors:
            if service is None:
                self.add_error(
                    "starts_at", gettext("The service is no longer offered. Cancel this and book another one.")
                )
            else:
                self._check(service, start, None if is_new else self.instance)
        return cleaned

    def _check(self, service: Service, start: dt.datetime, moved: Appointment | None) -> None:
        now, organization = timezone.now(), service.organization
        calendar = load_calendar(organization, service, now, first=start, last=start, by_person=True, without=moved)
        found = obstacle(start, calendar.availability, calendar.period, calendar.zone)
        if found is not None:
            self.add_error("starts_at", why_not(found, start, calendar))


@admin.register(Appointment)
class AppointmentAdmin(NumberSearch[Appointment], TenantAdmin[Appointment]):
    """Nothing is deleted: what does not take place is canceled, and its time is free again."""

    area = Area.APPOINTMENTS
    form = AppointmentForm
    begins_with_organization = True
    list_display = ("starts", "service_name", "customer_name", "vehicle", "who", "state_label", "organization")
    list_display_links = ("starts",)
    list_filter = (DayFilter, "state", "service", "organization")
    list_select_related = ("organization",)
    linkable = ("call", "starts_at", "created_at", "created_at__hour")
    date_hierarchy = "starts_at"
    search_fields = ("=number", "customer_name", "vehicle", "service_name")
    number_fields = ("customer_number",)
    ordering = ("starts_at", "number")
    readonly_fields = ("ends", "who", "shown_state", "shown_number", "made", "of_call", "changes", "cancel_reason")
    buttons = (
        Button("cancel", _("Cancel appointment"), "cancel", icon="event_busy", style="danger", power=Power.EDIT,
               prompt=_("Why? (kept with the appointment)"),
               is_offered=lambda appointment: appointment.state in OPEN_STATES),
        Button("arrived", _("Mark as arrived"), "arrived", icon="how_to_reg",
               is_offered=lambda appointment: may_become(appointment, AppointmentState.ARRIVED, timezone.now())),
        Button("done", _("Mark as done"), "done", icon="done_all", style="primary",
               is_offered=lambda appointment: may_become(appointment, AppointmentState.DONE, timezone.now())),
        Button("no-show", _("Mark as no-show"), "no_show", icon="person_off",
               is_offered=lambda appointment: may_become(appointment, AppointmentState.NO_SHOW, timezone.now())),
    )  # fmt: skip

    # The page

    def get_fieldsets(self, request: HttpRequest, obj: Appointment | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("organization", "service", *EDITABLE)}),)
        shown = EDITABLE if self._sees_number(request, obj) else tuple(
            "shown_number" if name == "customer_number" else name for name in EDITABLE
        )  # fmt: skip
        times, customer = ("shown_state", "service_name", "starts_at", "ends", "who"), shown[1:]
        reason = ("cancel_reason",) if obj.state == AppointmentState.CANCELED else ()
        return (
            (None, {"fields": times + reason}),
            (gettext("Customer"), {"fields": customer}),
            (gettext("Booking"), {"fields": ("made", "of_call", "changes")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Appointment | None = None) -> tuple[str, ...]:
        fields = super().get_readonly_fields(request, obj)
        if obj is None:
            return fields
        is_over = obj.state not in OPEN_STATES
        return (*fields, "service_name", *(EDITABLE if is_over else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the form found free stays free until it is saved: bookings take turns."""
        with transaction.atomic():
            if request.method == "POST" and (organization_id := self.organization_of_page(request)):
                lock_organization(organization_id)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Appointment, form: Any, change: bool) -> None:
        if not self.has_power(request, Power.EDIT, obj):
            raise PermissionDenied
        origin = Origin(person=request.user.get_username())
        if not change:
            self._book(obj, origin)
            return
        columns = changed_columns(form)
        fresh = Appointment.objects.get(pk=obj.pk)
        if "starts_at" in columns:
            fresh = move_appointment(fresh, obj.starts_at, origin)
        values = {name: getattr(obj, name) for name in columns if name != "starts_at"}
        if values:
            values |= {"version": F("version") + 1, "updated_at": timezone.now()}
            if not Appointment.objects.filter(pk=obj.pk, version=fresh.version).update(**values):
                raise Changed
            enqueue_calendar_updates(fresh)
            announce_appointments(fresh.organization_id)

    def _book(self, obj: Appointment, origin: Origin) -> None:
        assert obj.service is not None
        customer = Customer(obj.customer_name, obj.customer_number, obj.vehicle, obj.note)
        booked = book_appointment(obj.service, obj.starts_at, customer, origin)
        # Django goes on with the row that the form made.
        obj.__dict__.update({key: value for key, value in booked.__dict__.items() if key != "_state"})
        obj._state.adding = False

    # Buttons

    def cancel(self, request: HttpRequest, appointment: Appointment, text: str) -> str:
        cancel_appointment(appointment, Origin(person=request.user.get_username()), reason=text[:300])
        return gettext("%(appointment)s is canceled.") % {"appointment": appointment}

    def arrived(self, request: HttpRequest, appointment: Appointment, _: str) -> str:
        close_appointment(appointment, AppointmentState.ARRIVED, by=request.user.get_username())
        return gettext("%(appointment)s: the customer has arrived.") % {"appointment": appointment}

    def done(self, request: HttpRequest, appointment: Appointment, _: str) -> str:
        close_appointment(appointment, AppointmentState.DONE, by=request.user.get_username())
        return gettext("%(appointment)s is done.") % {"appointment": appointment}

    def no_show(self, request: HttpRequest, appointment: Appointment, _: str) -> str:
        close_appointment(appointment, AppointmentState.NO_SHOW, by=request.user.get_username())
        return gettext("%(appointment)s: the customer did not come.") % {"appointment": appointment}

    # Columns

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        return super().get_queryset(request).select_related("organization", "service").prefetch_related("resources")

    def sees_numbers(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access.sees_all or all(access.sees_numbers_of(each) or access.may(self.area, Power.EDIT, each)
                                      for each in access.organizations(self.area))  # fmt: skip

    def _sees_number(self, request: HttpRequest, appointment: Appointment) -> bool:
        """Those who may move it may have to ring the customer."""
        access = access_of(request)
        owner = organization_id_of(appointment)
        return access.sees_numbers_of(owner) or access.may(self.area, Power.EDIT, owner)

    @display(description=_("start"), ordering="starts_at")
    def starts(self, appointment: Appointment) -> str:
        return format_html('<span class="va-nowrap">{}</span>', when_of(appointment, appointment.starts_at))

    @display(description=_("end"))
    def ends(self, appointment: Appointment) -> str:
        return when(appointment.ends_at, appointment.organization.zone)

    @display(description=_("resources"))
    def who(self, appointment: Appointment) -> str:
        return ", ".join(resource.name for resource in appointment.resources.all()) or "–"

    @display(description=_("state"), ordering="state", label=APPOINTMENT_COLORS)
    def state_label(self, appointment: Appointment) -> tuple[str, str]:
        return appointment.state, appointment.get_state_display()

    @display(description=_("state"))
    def shown_state(self, appointment: Appointment) -> str:
        return appointment.get_state_display()

    @display(description=_("customer number"))
    def shown_number(self, appointment: Appointment) -> str:
        number = appointment.customer_number
        return mask(show_number(number)) if number else "–"

    @display(description=_("booked"))
    def made(self, appointment: Appointment) -> str:
        facts = {
            "number": appointment.number,
            "time": when(appointment.created_at, appointment.organization.zone),
            "by": appointment.made_by,
        }
        if appointment.made_by == "agent":
            return gettext("No. %(number)s, %(time)s, by the agent") % facts
        return gettext("No. %(number)s, %(time)s, by %(by)s") % facts

    @display(description=_("changes"))
    def changes(self, appointment: Appointment) -> str:
        """Who moved it, canceled it or noted that the customer came."""
        events = appointment.events.select_related("appointment__organization")
        return format_html_join("", "{}.<br>", ((who_changed(event),) for event in events)) or "–"

    @display(description=_("call"))
    def of_call(self, appointment: Appointment) -> str:
        return call_link(appointment.call)
