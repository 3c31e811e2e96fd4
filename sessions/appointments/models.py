"""What was booked, which resources it occupies, and what a call is about to book."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Service
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from agents.resources.models import Resource
from sessions.calls.models import Call
from sessions.calls.said_times import hear_from
from sessions.moves import Move
from sessions.orders.models import LONGEST_IDEMPOTENCY_KEY
from voiceapp.core.phones.field import PhoneNumberField

LONGEST_CUSTOMER = 120
LONGEST_VEHICLE = 120
LONGEST_NOTE = 300


class AppointmentState(models.TextChoices):
    BOOKED = "booked"
    ARRIVED = "arrived"
    DONE = "done"
    NO_SHOW = "no_show", _("No-show")
    CANCELED = "canceled"


# Those that can still be moved and canceled.
OPEN_STATES = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


class Appointment(TenantModel):
    """An appointment. Name, price and length are copied from the service, for the catalog moves on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="appointments")
    number = models.PositiveIntegerField(help_text=_("Counts up within the organization; what people call it."))
    state = models.CharField(max_length=8, choices=AppointmentState.choices, default=AppointmentState.BOOKED)
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="appointments")
    service_name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    customer_name = models.CharField(max_length=LONGEST_CUSTOMER)
    customer_number = PhoneNumberField(max_length=64, blank=True)
    vehicle = models.CharField(max_length=LONGEST_VEHICLE, blank=True)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    cancel_reason = models.CharField(_("reason for canceling"), max_length=LONGEST_NOTE, blank=True)
    call = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="appointments")
    draft_version = models.PositiveIntegerField(null=True)
    said_turn = models.PositiveIntegerField(_("caller's turn"), null=True, help_text=_("In which the time was chosen."))
    said_at_ms = models.PositiveIntegerField(
        _("said at (ms)"), null=True, help_text=_("On the clock of the transcript's lines; known after the call.")
    )
    idempotency_key = models.CharField(
        max_length=LONGEST_IDEMPOTENCY_KEY,
        null=True,
        help_text=_("The client's, with the call's id in front if it has one."),
    )
    request_digest = models.CharField(max_length=64, blank=True)
    made_by = models.CharField(_("booked by"), max_length=150, help_text=_("The agent, or a user."))
    version = models.PositiveIntegerField(default=1, help_text=_("Rises with every change."))
    resources = models.ManyToManyField(Resource, through="BookedResource", related_name="appointments")
    created_at = models.DateTimeField(_("booked"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)

    objects = TenantQuerySet["Appointment"].as_manager()

    class Meta:
        ordering = ("starts_at",)
        indexes = [
            models.Index(fields=("organization", "starts_at"), name="appointment_of_day"),
            models.Index(fields=("organization", "created_at"), name="appointment_booked_on"),
            models.Index(fields=("organization", "customer_number", "starts_at"), name="appointment_of_customer"),
        ]
        constraints = [
            models.UniqueConstraint(fields=("call", "draft_version"), name="one_appointment_per_draft_version"),
            models.UniqueConstraint(
                fields=("organization", "idempotency_key"), name="one_appointment_per_idempotency_key"
            ),
            models.UniqueConstraint(fields=("organization", "number"), name="appointments_are_numbered"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="appointment_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return gettext("Appointment %(number)s") % {"number": self.number}

    @property
    def hear_from(self) -> str:
        """The second of its call from which to listen, as in `?t=`; empty where nobody knows it."""
        return hear_from(self.said_at_ms)

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""


class BookedResource(models.Model):
    """A resource of an appointment, with the slots that it occupies: buffers included, the last one excluded."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="booked")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="booked")
    first_slot = models.PositiveIntegerField()
    end_slot = models.PositiveIntegerField()
    is_held = models.BooleanField(default=True, help_text=_("Not after it was canceled."))

    class Meta:
        ordering = ("id",)
        indexes = [
            # All that availability reads of it, in one index.
            models.Index(fields=("resource", "is_held", "first_slot", "end_slot"), name="booked_times_of_resource")
        ]
        constraints = [
            models.UniqueConstraint(fields=("appointment", "resource"), name="appointment_has_a_resource_once"),
            models.CheckConstraint(
                condition=models.Q(end_slot__gt=models.F("first_slot")), name="booked_resource_has_a_slot"
            ),
        ]

    def __str__(self) -> str:
        return str(self.resource)


class OccupiedSlot(models.Model):
    """Five minutes of a resource that an appointment occupies: no other one can (docs/decisions/double-booking.md)."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="+")
    slot = models.PositiveIntegerField(help_text=_("Five minutes each, counted since 1970 in UTC."))
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="slots")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("resource", "slot"), name="a_resource_is_booked_once")]

    def __str__(self) -> str:
        return str(self.slot)


class AppointmentEvent(Move):
    """Who moved an appointment, canceled it, or noted whether the customer came.

    Of a move, `moved_from` and `moved_to` are its starts; the rest says where it stood, so that an undo finds it.
    """

    tenant_path = "appointment__organization_id"

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")
    before = models.CharField(max_length=8, choices=AppointmentState.choices)
    after = models.CharField(max_length=8, choices=AppointmentState.choices)
    moved_from = models.DateTimeField(null=True)
    moved_to = models.DateTimeField(null=True)
    ended_before = models.DateTimeField(null=True, help_text=_("Its end before it was moved."))
    held_before = models.JSONField(
        default=list, help_text=_("Resource, first and end slot of each that it had before.")
    )
    resources = models.CharField(max_length=200, blank=True, help_text=_("Their names, after it was moved."))

    objects = TenantQuerySet["AppointmentEvent"].as_manager()

    def __str__(self) -> str:
        return f"{self.get_before_display()} → {self.get_after_display()}"


class DraftAppointment(TenantModel):
    """What a call is about to book, move or cancel; which version was read back at which turn; which was carried out.

    One row per call. `price` and `duration_minutes` are those that were read back.
    """

    class Action(models.TextChoices):
        BOOK = "book"
        MOVE = "move"
        CANCEL = "cancel"

    tenant_path = "call__organization_id"

    call = models.OneToOneField(Call, models.CASCADE, related_name="draft_appointment")
    version = models.PositiveIntegerField(default=0)
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.BOOK)
    appointment = models.ForeignKey(Appointment, models.SET_NULL, null=True, related_name="+")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+")
    starts_at = models.DateTimeField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    duration_minutes = models.PositiveSmallIntegerField(null=True)
    customer_name = models.CharField(max_length=LONGEST_CUSTOMER, blank=True)
    customer_number = models.CharField(max_length=64, blank=True)
    vehicle = models.CharField(max_length=LONGEST_VEHICLE, blank=True)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    said_turn = models.PositiveIntegerField(_("caller's turn"), null=True, help_text=_("In which the time was chosen."))
    read_back_version = models.PositiveIntegerField(null=True)
    read_back_turn = models.PositiveIntegerField(null=True)
    carried_out_version = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet["DraftAppointment"].as_manager()

    def __str__(self) -> str:
        return gettext("Draft, version %(version)s") % {"version": self.version}
