"""Phone numbers: which agent answers, the webhook URL for the carrier, and the last call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import ReadOnlyAdmin, TenantAdmin
from agents.tenant_admin.theme import display
from sessions.calls.admin.call import call_link
from sessions.calls.models import Call
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import show_number
from voiceapp.providers.errors import ProviderError

from .models import CarrierState, MediaStream, NumberCheck, PhoneNumber
from .numbers.comparison import Comparison, webhook_url
from .numbers.services import check_numbers, forget_check, point_number_here


@admin.register(PhoneNumber)
class PhoneNumberAdmin(NumberSearch[PhoneNumber], TenantAdmin[PhoneNumber]):
    area = Area.NUMBERS
    list_display = ("shown", "label", "organization", "answered_by", "status", "at_carrier", "last_call")
    list_filter = ("is_active", "carrier_state", "agent", "organization")
    list_before_template = "admin/parts/number_check.html"
    list_select_related = ("organization", "agent")
    list_display_links = ("shown",)
    search_fields = ("number", "label")
    fields = ("organization", "number", "label", "agent", "is_active", "webhook", "at_carrier", "carrier_difference")
    readonly_fields = ("webhook", "at_carrier", "carrier_difference")
    buttons = (
        Button("check", _("Check at Twilio"), "check_one", icon="sync", power=Power.EDIT, calls_provider=True),
        Button(
            "point-here",
            _("Point here"),
            "point_here",
            icon="my_location",
            style="primary",
            power=Power.EDIT,
            calls_provider=True,
            confirm=_("Twilio will send this number's calls and texts to this server. What is set there now is lost."),
            is_offered=lambda number: number.carrier_state == CarrierState.DIFFERS,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        """With the last call to each number, and its organization's default agent, in the one query."""
        calls = Call.objects.filter(organization=OuterRef("organization"), dialed_number=OuterRef("number"))
        default = Agent.objects.filter(organization=OuterRef("organization"), is_default=True)
        return (
            super()
            .get_queryset(request)
            .select_related("organization", "agent")
            .annotate(
                last_call_at=Subquery(calls.order_by("-created_at").values("created_at")[:1]),
                default_agent=Subquery(default.values("name")[:1]),
                default_version=Subquery(default.values("published_version")[:1]),
                default_is_paused=Subquery(default.values("is_paused")[:1]),
            )
        )

    @display(description=_("number"), ordering="number")
    def shown(self, number: PhoneNumber) -> str:
        return format_html('<span class="va-nowrap">{}</span>', show_number(number.number))

    @display(description=_("answered by"))
    def answered_by(self, number: PhoneNumber) -> str:
        if number.agent is not None:
            return number.agent.name
        default = getattr(number, "default_agent", None)
        return gettext("%(agent)s (default)") % {"agent": default} if default else gettext("No agent")

    @display(
        description=_("status"),
        label={"active": "success", "paused": "warning", "inactive": "warning", "no_agent": "danger"},
    )
    def status(self, number: PhoneNumber) -> tuple[str, str]:
        if not number.is_active:
            return "inactive", gettext("Inactive")
        version = number.agent.published_version_id if number.agent else getattr(number, "default_version", None)
        paused = number.agent.is_paused if number.agent else getattr(number, "default_is_paused", False)
        if version is None:
            return "no_agent", gettext("No published agent")
        return ("paused", gettext("Agent paused")) if paused else ("active", gettext("Active"))

    @display(
        description=_("at Twilio"),
        ordering="carrier_state",
        label={"unchecked": "info", "in_step": "success", "differs": "danger", "missing": "danger"},
    )
    def at_carrier(self, number: PhoneNumber) -> tuple[str, str]:
        state = CarrierState(number.carrier_state)
        return state.value or "unchecked", str(state.label)

    def offered(self, request: HttpRequest, row: PhoneNumber) -> Iterator[Button]:
        """Only for superusers: others could take over numbers of the account that are not theirs."""
        sees_all = access_of(request).sees_all
        return (each for each in super().offered(request, row) if each.name != "point-here" or sees_all)

    def check_one(self, request: HttpRequest, number: PhoneNumber, _: str) -> str:
        compared = check_now()
        found = next((each for each in compared.numbers if each.number.pk == number.pk), None)
        state = found.state.label if found else gettext("not checked")
        return f"{number}: {state}."

    def point_here(self, request: HttpRequest, number: PhoneNumber, _: str) -> str:
        if not access_of(request).sees_all:
            raise PermissionDenied
        try:
            pointed = point_number_here(number)
        except ProviderError as error:
            raise ApplicationError(
                gettext("Twilio's numbers could not be read (%(error)s).") % {"error": error}
            ) from error
        if pointed.error:
            raise ApplicationError(
                gettext("%(number)s does not point here: %(error)s") % {"number": number, "error": pointed.error}
            )
        return gettext("%(number)s points here.") % {"number": number}

    def save_model(self, request: HttpRequest, obj: PhoneNumber, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if {"number", "organization"} & set(form.changed_data):
            forget_check(obj)

    def get_urls(self) -> list[URLPattern]:
        check = path("check/", self.page(self.check_all), name="telephony_phonenumber_check")
        return [check, *super().get_urls()]

    def check_all(self, request: HttpRequest) -> HttpResponse:
        """The button above the list."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_power(request, Power.EDIT):
            raise PermissionDenied
        try:
            compared = check_now()
        except ApplicationError as error:
            messages.error(request, str(error))
        else:
            in_step = len(compared.of(CarrierState.IN_STEP))
            messages.success(
                request,
                gettext("Checked: %(in_step)s of %(number)s numbers point here.")
                % {"in_step": in_step, "number": len(compared.numbers)},
            )
        return HttpResponseRedirect(numbers_url())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        check = NumberCheck.objects.first()
        context = {
            "number_check": check,
            "may_check_numbers": self.has_power(request, Power.EDIT),
            "unknown_numbers": check.unknown_numbers if check and access_of(request).sees_all else [],
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @display(description=_("last call"), ordering="last_call_at")
    def last_call(self, number: PhoneNumber) -> Any:
        return getattr(number, "last_call_at", None) or gettext("Never")

    @display(description=_("Twilio webhook URL"))
    def webhook(self, number: PhoneNumber) -> str:
        """A field whose text is selected as a whole, to be copied."""
        if number._state.adding:
            return gettext("Save the number to see its webhook URL.")
        url = webhook_url(number)
        return format_html(
            '<input class="va-copy" type="text" readonly size="70" value="{}" aria-label="Webhook URL">'
            '<p class="va-hint">Set by <code>manage.py sync_phone_numbers</code>, or '
            "in the Twilio console: Phone Numbers → this number → “A call comes in” → Webhook, "
            "HTTP POST. For “Call status changes”: <code>{}/twilio/call-status</code></p>",
            url,
            settings.PUBLIC_BASE_URL,
        )


def check_now() -> Comparison:
    """Raises ApplicationError."""
    try:
        return check_numbers()
    except ProviderError as error:
        raise ApplicationError(gettext("Twilio's numbers could not be read (%(error)s).") % {"error": error}) from error


def numbers_url() -> str:
    return reverse("admin:telephony_phonenumber_changelist")


@admin.register(MediaStream)
class MediaStreamAdmin(ReadOnlyAdmin[MediaStream]):
    area = Area.CALLS
    list_display = ("created_at", "stream_sid", "used_at", "ended_at", "follow_up", "next_step", "of_call")
    list_filter = ("follow_up", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=stream_sid",)
    ordering = ("-created_at",)
    fields = ("stream_sid", "account_sid", "created_at", "expires_at", "used_at", "ended_at", "follow_up",
              "hand_over_to", "next_step", "next_target", "of_call")  # fmt: skip
    readonly_fields = ("of_call",)

    @display(description=_("call"))
    def of_call(self, stream: MediaStream) -> str:
        return call_link(stream.call)
