"""Texts: what was sent and received, opt-outs, the settings, and the templates with their preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import access_of
from agents.organizations.roles import Area
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import ReadOnlyAdmin, TenantAdmin
from agents.tenant_admin.theme import display
from voiceapp.core.phones.numbers import mask, read_caller, show_number

from .kinds import PLACEHOLDERS, TextKind
from .models import OptOut, Text, TextSettings, TextState, TextTemplate
from .reasons import explanation_of
from .segments import size_of
from .services.resending import may_resend, resend
from .wording import default_body, preview

TEXT_COLORS: Mapping[str, str] = {
    TextState.WAITING: "info",
    TextState.SENT: "info",
    TextState.DELIVERED: "success",
    TextState.FAILED: "danger",
    TextState.NOT_SENT: "warning",
    TextState.RECEIVED: "primary",
}


@admin.register(Text)
class TextAdmin(NumberSearch[Text], ReadOnlyAdmin[Text]):
    """Records of what was said; one that did not arrive can be sent again."""

    area = Area.CALLS
    list_display = ("created_at", "state_label", "shown_number", "kind_label", "excerpt", "why", "organization")
    list_filter = ("state", "kind", "direction", "reason", "created_at", "organization")
    list_select_related = ("organization", "call")
    linkable = ("call", "sent_at", "sent_at__hour")
    date_hierarchy = "created_at"
    search_fields = ("body", "=provider_sid")
    number_fields = ("number",)
    ordering = ("-created_at",)
    fields = ("state_label", "shown_number", "kind_label", "body", "size", "cause", "fix", "conversation", "created_at",
              "due_at", "sent_at", "ended_at", "carrier_status", "error_code", "provider_sid",
              "our_number")  # fmt: skip
    readonly_fields = ("state_label", "shown_number", "kind_label", "size", "cause", "fix", "conversation")
    buttons = (
        Button("resend", _("Send again"), "send_again", icon="replay", style="primary", is_offered=may_resend,
               confirm=_("The customer gets the same text once more.")),
    )  # fmt: skip

    def sees_numbers(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access.sees_all or all(map(access.sees_numbers_of, access.organizations(self.area)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A number may be filtered by as a whole only, like callers' numbers."""
        return lookup in ("number", "number__exact") or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Text]:
        """With whether the user may read each number."""
        seen = access_of(request).principal(Area.CALLER_NUMBERS)
        whole = Text.objects.visible_to(seen).filter(pk=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_number_seen=Exists(whole))

    @display(description=_("state"), ordering="state", label=TEXT_COLORS)
    def state_label(self, text: Text) -> tuple[str, str]:
        return text.state, text.get_state_display()

    @display(description=_("customer"), ordering="number")
    def shown_number(self, text: Text) -> str:
        caller = read_caller(text.number)
        return caller.label if getattr(text, "is_number_seen", False) or not caller.number else mask(caller.number)

    @display(description=_("kind"), ordering="kind")
    def kind_label(self, text: Text) -> str:
        return text.get_kind_display() if text.kind else gettext("From the customer")

    @display(description=_("text"))
    def excerpt(self, text: Text) -> str:
        return text.body if len(text.body) <= 80 else f"{text.body[:79]}…"

    @display(description=_("reason"), ordering="reason")
    def why(self, text: Text) -> str:
        return text.get_reason_display() if text.reason else ""

    @display(description=_("size"))
    def size(self, text: Text) -> str:
        return size_sentence(text.body)

    @display(description=_("cause"))
    def cause(self, text: Text) -> str:
        return str(explanation_of(text.reason).cause) if text.reason else "–"

    @display(description=_("what to do"))
    def fix(self, text: Text) -> str:
        return str(explanation_of(text.reason).fix) if text.reason else "–"

    @display(description=_("conversation"))
    def conversation(self, text: Text) -> str:
        if not getattr(text, "is_number_seen", False):
            return "–"
        url = reverse("admin:voice_sessions_text_changelist")
        return format_html('<a class="va-link" href="{}?number={}">All texts with this number</a>', url, text.number)

    def page_links(self, request: HttpRequest, row: Text) -> tuple[PageLink, ...]:
        if row.call_id is None:
            return ()
        return (PageLink(gettext("Call"), "call", reverse("admin:voice_sessions_call_change", args=(row.call_id,))),)

    def send_again(self, request: HttpRequest, text: Text, _: str) -> str:
        resend(text)
        return gettext("The text is sent again.")


def size_sentence(body: str) -> str:
    """“84 characters, 1 SMS (GSM-7)”, and what makes it longer than it need be."""
    size = size_of(body)
    sentence = gettext("%(number)s characters, %(segments)s SMS (%(encoding)s)") % {
        "number": len(body),
        "segments": size.segments,
        "encoding": size.encoding,
    }
    if size.not_gsm:
        sentence += gettext(". These characters leave only 70 to an SMS: %(not_gsm)s") % {
            "not_gsm": " ".join(size.not_gsm[:10])
        }
    return sentence


@admin.register(OptOut)
class OptOutAdmin(NumberSearch[OptOut], TenantAdmin[OptOut]):
    """An operator may enter an opt-out. Only the customer can take it back, by START."""

    area = Area.ORGANIZATION
    list_display = ("shown", "state", "source", "changed_at", "organization")
    list_display_links = ("shown",)
    list_filter = ("is_out", "source", "organization")
    list_select_related = ("organization",)
    search_fields = ("=number",)
    readonly_fields = ("shown", "state")

    def sees_numbers(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access.sees_all or all(map(access.sees_numbers_of, access.organizations(self.area)))

    def get_fields(self, request: HttpRequest, obj: OptOut | None = None) -> tuple[str, ...]:
        return ("organization", "number") if obj is None else ("organization", "shown", "state", "source", "changed_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OptOut]:
        seen = access_of(request).principal(Area.CALLER_NUMBERS)
        rows = super().get_queryset(request).select_related("organization")
        whole = OptOut.objects.visible_to(seen).filter(pk=OuterRef("pk"))
        return rows.annotate(is_number_seen=Exists(whole))

    def has_change_permission(self, request: HttpRequest, obj: OptOut | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OptOut | None = None) -> bool:
        return False

    @display(description=_("number"), ordering="number")
    def shown(self, opt_out: OptOut) -> str:
        is_seen = getattr(opt_out, "is_number_seen", False)
        return show_number(opt_out.number) if is_seen else mask(opt_out.number)

    @display(description=_("state"), ordering="is_out", label={"out": "warning", "in": "success"})
    def state(self, opt_out: OptOut) -> tuple[str, str]:
        return ("out", gettext("Opted out")) if opt_out.is_out else ("in", gettext("Wants texts"))


@admin.register(TextSettings)
class TextSettingsAdmin(TenantAdmin[TextSettings]):
    area = Area.ORGANIZATION
    list_display = ("organization", "is_on", "confirms_orders", "confirms_appointments", "reminder_hours")
    list_select_related = ("organization",)
    fieldsets = (
        (None, {"fields": ("organization", "is_on", "menu_url")}),
        (_("Orders"), {"fields": ("confirms_orders", "tells_ready", "tells_refused")}),
        (_("Appointments"), {"fields": ("confirms_appointments",)}),
        (_("Reminders"), {"fields": ("reminder_hours", "quiet_from", "quiet_until")}),
        (_("Limits"), {"fields": ("most_per_number", "most_per_day", "countries")}),
        ("Twilio", {"fields": ("messaging_service_sid", "answers_help")}),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The organization is what people know a row by, even where there is one only."""
        return list(self.list_display)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "menu_url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(TextTemplate)
class TextTemplateAdmin(TenantAdmin[TextTemplate]):
    """A template for a kind and a language; what is not entered here says the default."""

    area = Area.ORGANIZATION
    list_display = ("kind", "language", "shown_preview", "shown_size", "organization")
    list_filter = ("kind", "language", "organization")
    list_select_related = ("organization",)
    fields = ("organization", "kind", "language", "body", "shown_preview", "shown_size", "placeholders", "default")
    readonly_fields = ("shown_preview", "shown_size", "placeholders", "default")

    @display(description=_("preview"))
    def shown_preview(self, template: TextTemplate) -> str:
        return _preview(template) or gettext("Save the template to see it with example facts.")

    @display(description=_("size"))
    def shown_size(self, template: TextTemplate) -> str:
        shown = _preview(template)
        return size_sentence(shown) if shown else "–"

    @display(description=_("placeholders"))
    def placeholders(self, template: TextTemplate) -> str:
        if template.kind:
            return ", ".join(f"{{{name}}}" for name in PLACEHOLDERS[TextKind(template.kind)])
        return "; ".join(
            f"{kind.label}: {', '.join(f'{{{name}}}' for name in PLACEHOLDERS[kind])}" for kind in TextKind
        )

    @display(description=_("default text"))
    def default(self, template: TextTemplate) -> str:
        return default_body(TextKind(template.kind), template.language) if template.kind else "–"


def _preview(template: TextTemplate) -> str:
    """Nothing for what a person has entered and cannot be saved."""
    try:
        template.clean()
    except ValidationError:
        return ""
    if not template.kind or not template.body:
        return ""
    return preview(TextKind(template.kind), template.body, name=template.organization.name)
