"""Calendars outside: feeds that people subscribe to, and a resource's own calendar on a CalDAV server."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from agents.resources.models import Resource
from sessions.appointments.models import Appointment
from voiceapp.core.jobs.models import MAX_KEPT_ERROR
from voiceapp.core.kept_text_field import KeptTextField
from voiceapp.core.secret_box import seal, unseal
from voiceapp.core.web_addresses import MAX_URL_LENGTH, read_origin


class CalendarFeed(TenantModel):
    """A secret address of appointments as iCalendar: the organization's, or those of one resource."""

    audited = Audited(ignored=frozenset({"last_used_at"}))

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="calendar_feeds")
    resource = models.ForeignKey(
        Resource,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="calendar_feeds",
        help_text=_("Leave empty for all appointments of the organization."),
    )
    name = models.CharField(max_length=80, help_text=_("Who uses it, like “Reception's computer”."))
    shows_customers = models.BooleanField(
        _("customers are shown"),
        default=True,
        help_text=_("Name, number, vehicle and note of the customer. When off: service and time only."),
    )
    secret_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    renewed_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(
        _("last fetched"), null=True, editable=False, help_text=_("Accurate to the minute.")
    )
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = TenantQuerySet["CalendarFeed"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("calendar feed")

    def __str__(self) -> str:
        return self.name


def validate_address(url: str) -> None:
    """Accept plain web addresses; where they lead is checked when they are used."""
    try:
        read_origin(url)
    except ValueError as exc:
        raise ValidationError(gettext("Enter an address like https://cloud.example.com/remote.php/dav.")) from exc


class ConnectedCalendar(TenantModel):
    """A resource's calendar on a CalDAV server: busy times come in, appointments go out."""

    tenant_path = "resource__organization_id"
    audited = Audited(
        ignored=frozenset(
            {"offered", "next_read_at", "reading_until", "read_at", "failing_since", "failures", "unreadable_events"}
        )
    )

    resource = models.OneToOneField(Resource, models.CASCADE, related_name="connected_calendar")
    address = models.CharField(
        max_length=MAX_URL_LENGTH,
        validators=[validate_address],
        help_text=_("Of the server, of the account, or of the calendar itself."),
    )
    username = models.CharField(_("user name"), max_length=200)
    sealed_password = models.TextField(editable=False)
    shows_customers = models.BooleanField(
        _("customers are shown"),
        default=True,
        help_text=_("Name, number, vehicle and note of the customer. When off: service and time only."),
    )
    reads_busy_times = models.BooleanField(
        default=True, help_text=_("When the calendar is busy, the resource gets no appointment.")
    )
    writes_appointments = models.BooleanField(default=True, help_text=_("Appointments are written into the calendar."))
    # URL and name of each calendar at the address, where there are several to choose from.
    offered = models.JSONField(default=list, editable=False)
    # The calendar itself, found by the address or chosen; empty until then.
    calendar_url = models.CharField(max_length=MAX_URL_LENGTH * 2, blank=True, editable=False)
    calendar_name = models.CharField(_("calendar"), max_length=200, blank=True, editable=False)
    next_read_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    reading_until = models.DateTimeField(null=True, editable=False)
    read_at = models.DateTimeField(_("busy times read"), null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_error = KeptTextField(max_length=MAX_KEPT_ERROR, blank=True, editable=False)
    unreadable_events = models.PositiveIntegerField(default=0, editable=False)

    objects = TenantQuerySet["ConnectedCalendar"].as_manager()

    class Meta:
        ordering = ("resource__position", "resource_id")
        verbose_name = _("connected calendar")

    def __str__(self) -> str:
        return gettext("%(resource)s's calendar") % {"resource": self.resource}

    @property
    def place(self) -> str:
        """What the password is sealed for: moved to another server or resource it cannot be read."""
        return f"connected calendar|{self.resource_id}|{read_origin(self.address)}"

    @property
    def password(self) -> str:
        """Raises SealBroken."""
        return unseal(self.sealed_password, place=self.place)

    @password.setter
    def password(self, password: str) -> None:
        self.sealed_password = seal(password, place=self.place)

    def try_again(self, *, is_elsewhere: bool) -> None:
        """Read it soon; of another address or user everything is found and written anew."""
        values: dict[str, object] = {"next_read_at": timezone.now(), "failures": 0}
        if is_elsewhere:
            values |= {"calendar_url": "", "calendar_name": "", "offered": [], "failing_since": None, "last_error": ""}
            self.entries.all().delete()
            self.busy_times.all().delete()
        ConnectedCalendar.objects.filter(pk=self.pk).update(**values)
        self.refresh_from_db()

    def choose(self, url: str) -> None:
        """One of those that were offered."""
        offered = self.offered
        self.try_again(is_elsewhere=True)
        chosen = ConnectedCalendar.objects.filter(pk=self.pk, address=self.address)
        chosen.update(calendar_url=url, calendar_name=dict(offered)[url], offered=offered)
        self.refresh_from_db()


class BusyTime(models.Model):
    """When a connected calendar was busy, as it was last read; our own appointments are left out."""

    calendar = models.ForeignKey(ConnectedCalendar, models.CASCADE, related_name="busy_times")
    # Copied, for availability reads by resource.
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="busy_times")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # Whose entry a person has moved there.
    appointment = models.ForeignKey(Appointment, models.CASCADE, null=True, related_name="+")

    class Meta:
        ordering = ("starts_at",)
        indexes = [models.Index(fields=("resource", "starts_at", "ends_at"), name="busy_times_of_resource")]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="busy_time_has_a_length")
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class CalendarEntry(TenantModel):
    """An appointment in a connected calendar: which version of it is written there, and what a person changed since."""

    class Change(models.TextChoices):
        NONE = "", _("As we wrote it")
        MOVED = "moved", _("Changed in the calendar")
        REMOVED = "removed", _("Removed from the calendar")
        LEFT = "left", _("Left as it is in the calendar")

    tenant_path = "calendar__resource__organization_id"

    calendar = models.ForeignKey(ConnectedCalendar, models.CASCADE, related_name="entries")
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="calendar_entries")
    etag = models.CharField(max_length=200, blank=True)
    # 0: not written yet.
    written_version = models.PositiveIntegerField(default=0)
    written_at = models.DateTimeField(null=True)
    change = models.CharField(max_length=8, choices=Change.choices, blank=True, default=Change.NONE)
    changed_to_start = models.DateTimeField(null=True)
    changed_to_end = models.DateTimeField(null=True)
    # The operator has decided that our version counts.
    may_overwrite = models.BooleanField(default=False)
    noticed_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["CalendarEntry"].as_manager()

    class Meta:
        ordering = ("appointment__starts_at",)
        verbose_name = _("calendar entry")
        verbose_name_plural = _("calendar entries")
        constraints = [
            models.UniqueConstraint(fields=("calendar", "appointment"), name="appointment_is_in_a_calendar_once")
        ]

    def __str__(self) -> str:
        return f"{self.appointment} in {self.calendar}"
