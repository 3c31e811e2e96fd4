"""Appointments in connected calendars, and what a person changed there: the operator decides which one counts."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when_of
from agents.organizations.roles import Area
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.appointments.calendars.models import CalendarEntry
from sessions.appointments.calendars.services.outgoing import leave_change, overwrite_change

Change = CalendarEntry.Change
COLORS = {"": "success", "waiting": "info", Change.MOVED: "danger", Change.REMOVED: "danger", Change.LEFT: "warning"}


def is_undecided(entry: CalendarEntry) -> bool:
    return entry.change in (Change.MOVED, Change.REMOVED)


@admin.register(CalendarEntry)
class CalendarEntryAdmin(ReadOnlyAdmin[CalendarEntry]):
    area = Area.APPOINTMENTS
    list_display = ("appointment", "begins", "calendar", "state", "changed_to", "noticed_at")
    list_filter = ("change", "calendar")
    list_select_related = ("appointment", "calendar__resource__organization")
    search_fields = ("=appointment__number",)
    fields = ("appointment", "begins", "calendar", "state", "changed_to", "noticed_at", "written_at")
    readonly_fields = ("begins", "state", "changed_to")
    buttons = (
        Button("overwrite", _("Write our appointment"), "overwrite", icon="upload", style="primary",
               confirm=_("The calendar gets the appointment as it stands here."), is_offered=is_undecided),
        Button("leave", _("Leave the calendar as it is"), "leave", icon="done",
               confirm=_("The appointment here stays, too. Move or cancel it here if the calendar is right."),
               is_offered=is_undecided),
    )  # fmt: skip

    @display(description=_("our time"))
    def begins(self, entry: CalendarEntry) -> str:
        return when_of(entry, entry.appointment.starts_at)

    @display(description=_("in the calendar"), ordering="change", label=COLORS)
    def state(self, entry: CalendarEntry) -> tuple[str, str]:
        if not entry.change and entry.written_version < entry.appointment.version:
            return "waiting", gettext("Being written")
        return entry.change, entry.get_change_display()

    @display(description=_("changed to"))
    def changed_to(self, entry: CalendarEntry) -> str:
        return when_of(entry, entry.changed_to_start)

    def overwrite(self, request: HttpRequest, entry: CalendarEntry, _: str) -> str:
        overwrite_change(entry)
        return gettext("%(appointment)s is written into %(calendar)s again.") % {
            "appointment": entry.appointment,
            "calendar": entry.calendar,
        }

    def leave(self, request: HttpRequest, entry: CalendarEntry, _: str) -> str:
        leave_change(entry)
        return gettext("%(calendar)s is left as it is.") % {"calendar": entry.calendar}
