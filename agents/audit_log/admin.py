"""The audit log of an organization: filters by person, kind and day, and CSV."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.organizations.access import access_of
from agents.organizations.models import Membership
from agents.organizations.roles import Area
from agents.tenant_admin.downloads import streamed_file
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display

from .models import AuditEntry
from .queries import csv_of
from .shown import render_changes
from .text import kind_label, kinds, model_of, summary

LONGEST_SUMMARY = 300
MOST_PEOPLE = 200


class PersonFilter(admin.SimpleListFilter):
    """The people of the user's organizations, not those of the log: reading all of it would take long."""

    title = gettext_lazy("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        places = Membership.objects.visible_to(access_of(request).principal(Area.AUDIT))
        people = User.objects.filter(memberships__in=places).distinct().order_by("username")[:MOST_PEOPLE]
        return [(str(user.pk), user.get_username()) for user in people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(user_id=int(value)) if value.isascii() and value.isdigit() else queryset.none()


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return kinds()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset if self.value() is None else queryset.filter(kind=self.value())


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """Who changed what, when, from what to what, from which page or with which key."""

    area = Area.AUDIT
    list_display = ("at", "who", "what", "summary", "origin", "organization")
    list_filter = (PersonFilter, KindFilter, "action", "via", "organization")
    list_select_related = ("organization",)
    search_fields = ("=name", "=actor")
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    fields = ("at", "who", "what", "origin", "all_changes")
    readonly_fields = fields
    list_before_template = "admin/audit_log/above_list.html"

    def get_urls(self) -> list[URLPattern]:
        return [path("csv/", self.page(self.csv), name="agents_auditentry_csv"), *super().get_urls()]

    @display(description=gettext_lazy("who"), ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor

    @display(description=gettext_lazy("what"))
    def what(self, entry: AuditEntry) -> str:
        """With a link to the page of the row, if there is one."""
        words = f"{entry.get_action_display()}: {kind_label(entry.kind)} {entry.name}"
        address = page_address(entry)
        return format_html('<a class="va-link" href="{}">{}</a>', address, words) if address else words

    @display(description=gettext_lazy("from what to what"))
    def summary(self, entry: AuditEntry) -> str:
        text = summary(entry)
        return text if len(text) <= LONGEST_SUMMARY else f"{text[:LONGEST_SUMMARY]}…"

    @display(description=gettext_lazy("from where"))
    def origin(self, entry: AuditEntry) -> str:
        return f"{entry.get_via_display()}: {entry.place}"

    @display(description=gettext_lazy("changes"))
    def all_changes(self, entry: AuditEntry) -> str:
        return render_changes(entry)

    def csv(self, request: HttpRequest) -> HttpResponse:
        """The list with its filters, sent while it is read."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            entries = self.get_changelist_instance(request).queryset
        except (IncorrectLookupParameters, SuspiciousOperation):
            messages.error(request, _("Nothing was exported: the list cannot be filtered like this."))
            return HttpResponseRedirect(self._list_path())
        name = f"audit-log-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
        return streamed_file(csv_of(entries), name=name, content_type="text/csv; charset=utf-8")


def page_address(entry: AuditEntry) -> str:
    """Of the page that shows the row; empty where there is none."""
    kind, _colon, pk = entry.page.partition(":")
    model = model_of(kind)
    is_gone = entry.action == AuditEntry.Action.REMOVED and entry.page == f"{entry.kind}:{entry.row_id}"
    if model is None or is_gone:
        return ""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=(quote(pk, safe=""),))
    except NoReverseMatch:
        return ""
