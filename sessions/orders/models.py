"""What a call is making: one row per call, whose version rises with every change."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call
from sessions.calls.said_times import hear_from
from sessions.moves import LONGEST_REASON, Move
from voiceapp.core.phones.field import PhoneNumberField
from voiceapp.core.phones.numbers import mask, validate_e164

from .draft.delivery import address_line
from .pricing import is_tax_included


class DraftOrder(TenantModel):
    """The lines as JSON (shape: `sessions.orders.draft`), and which version was read back at which caller's turn."""

    tenant_path = "call__organization_id"

    call = models.OneToOneField(Call, models.CASCADE, related_name="draft_order")
    version = models.PositiveIntegerField(default=0)
    lines = models.JSONField(default=list)
    delivery = models.JSONField(null=True, help_text=_("The address with its zone's terms; null: pickup."))
    read_back_version = models.PositiveIntegerField(null=True)
    read_back_turn = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet["DraftOrder"].as_manager()

    def __str__(self) -> str:
        return gettext("Draft, version %(version)s") % {"version": self.version}


# A client's key of 128 characters, with its call's id and a colon in front.
LONGEST_IDEMPOTENCY_KEY = 128 + 37


class OrderState(models.TextChoices):
    """What became of it. `replaced` means that a later submission of the same call took its place."""

    SUBMITTED = "submitted"
    REPLACED = "replaced"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress", _("In progress")
    READY = "ready"
    DONE = "done"
    REFUSED = "refused"
    CANCELED = "canceled"


# Orders that nobody prepares or pays.
VOID_STATES = (OrderState.REPLACED, OrderState.REFUSED, OrderState.CANCELED)


class Order(TenantModel):
    """An order. Names and prices are copied, for the menu moves on. The totals are the server's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="orders")
    call = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="orders")
    number = models.PositiveIntegerField(help_text=_("Counts up within the organization; what people call it."))
    draft_version = models.PositiveIntegerField(null=True)
    idempotency_key = models.CharField(
        max_length=LONGEST_IDEMPOTENCY_KEY,
        null=True,
        help_text=_("The client's, with the call's id in front if it has one."),
    )
    request_digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, choices=OrderState.choices, default=OrderState.SUBMITTED)
    replaces = models.OneToOneField("self", models.SET_NULL, null=True, related_name="replaced_by")
    customer_name = models.CharField(max_length=120, blank=True)
    customer_number = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=300, blank=True)
    is_delivery = models.BooleanField(_("delivery"), default=False, help_text=_("Else it is picked up."))
    street = models.CharField(max_length=120, blank=True)
    postcode = models.CharField(max_length=12, blank=True)
    place = models.CharField(max_length=80, blank=True)
    zone = models.CharField(_("delivery zone"), max_length=80, blank=True)
    delivery_fee = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(max_digits=12, decimal_places=2)
    tax = models.DecimalField(max_digits=12, decimal_places=2)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, help_text=_("Why it was refused or canceled."))
    ready_at = models.DateTimeField(_("promised for"), null=True, help_text=_("The time that its customer was told."))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["Order"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(fields=("call", "draft_version"), name="one_order_per_draft_version"),
            models.UniqueConstraint(fields=("organization", "idempotency_key"), name="one_order_per_idempotency_key"),
            models.UniqueConstraint(fields=("organization", "number"), name="orders_are_numbered"),
        ]
        indexes = [
            models.Index(fields=("organization", "state", "created_at"), name="order_of_board"),
            models.Index(fields=("organization", "created_at"), name="order_of_organization"),
        ]

    def __str__(self) -> str:
        return gettext("Order %(number)s") % {"number": self.number}

    @property
    def tax_label(self) -> str:
        """What stands beside the tax wherever the sums are shown."""
        is_included = is_tax_included(subtotal=self.subtotal, tax=self.tax, total=self.total, fee=self.delivery_fee)
        return gettext("Tax included") if is_included else gettext("Tax")

    @property
    def address(self) -> str:
        """“12 Main Street, 10115 Berlin”; empty for pickup, and once its customer's data was deleted."""
        return address_line(self.street, self.postcode, self.place)


class CallerNotRemembered(TenantModel):
    """A number of whose caller nothing is looked up: the caller does not want it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="callers_not_remembered")
    number = PhoneNumberField(max_length=16, validators=[validate_e164])
    since = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["CallerNotRemembered"].as_manager()

    class Meta:
        verbose_name = _("caller not remembered")
        verbose_name_plural = _("callers not remembered")
        ordering = ("-since",)
        constraints = [models.UniqueConstraint(fields=("organization", "number"), name="not_remembered_once")]

    def __str__(self) -> str:
        return mask(self.number)

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""


class OrderEvent(Move):
    """Who moved an order, and when."""

    tenant_path = "order__organization_id"

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    before = models.CharField(max_length=12, choices=OrderState.choices)
    after = models.CharField(max_length=12, choices=OrderState.choices)

    objects = TenantQuerySet["OrderEvent"].as_manager()

    def __str__(self) -> str:
        return f"{self.get_before_display()} → {self.get_after_display()}"


class OrderLine(TenantModel):
    """One line: `unit_price` includes the modifiers."""

    tenant_path = "order__organization_id"

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    item_id = models.BigIntegerField(null=True, help_text=_("The menu's item at that time; the row may be gone."))
    item = models.CharField(max_length=80)
    size = models.CharField(max_length=80, blank=True)
    size_id = models.BigIntegerField(null=True, help_text=_("Like item_id."))
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    note = models.CharField(max_length=200, blank=True)
    said_turn = models.PositiveIntegerField(_("caller's turn"), null=True, help_text=_("In which the model put it in."))
    said_at_ms = models.PositiveIntegerField(
        _("said at (ms)"), null=True, help_text=_("On the clock of the transcript's lines; known after the call.")
    )

    # What a point of sale calls it now (sessions/orders/pos_ids.py).
    pos_id = ""

    objects = TenantQuerySet["OrderLine"].as_manager()

    class Meta:
        ordering = ("order", "position")
        constraints = [models.UniqueConstraint(fields=("order", "position"), name="order_lines_are_numbered")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.size} {self.item}".replace("  ", " ")

    @property
    def hear_from(self) -> str:
        """The second of the call from which to listen, as in `?t=`; empty where nobody knows it."""
        return hear_from(self.said_at_ms)


class OrderModifier(TenantModel):
    """A modifier of a line; one under another names it as its parent."""

    tenant_path = "line__order__organization_id"

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="modifiers")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="under")
    modifier_id = models.BigIntegerField(null=True)
    group = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=10, decimal_places=2)

    pos_id = ""

    objects = TenantQuerySet["OrderModifier"].as_manager()

    class Meta:
        ordering = ("line", "id")

    def __str__(self) -> str:
        return self.name
