"""Requests of callers about their own data: enter the number, see what there is, export it, delete it."""

from __future__ import annotations

import tempfile
from typing import Any

from django.contrib import admin
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

from .deleting import close_request, data_of, retry_deletion, start_deletion
from .exporting import write_export
from .finding import counts_text
from .models import CallerRequest

State = CallerRequest.State
COLORS = {State.OPEN: "info", State.DELETING: "warning", State.DELETED: "success", State.CLOSED: "plain"}
# A larger file waits on the disk.
IN_MEMORY_BYTES = 8 * 1024 * 1024


def is_open(request: CallerRequest) -> bool:
    return request.state == State.OPEN


@admin.register(CallerRequest)
class CallerRequestAdmin(TenantAdmin[CallerRequest]):
    """Entered once, then only worked on. When it is over, it is the proof and keeps nothing of the caller."""

    area = Area.CALLER_NUMBERS
    begins_with_organization = True
    list_display = ("created_at", "state_label", "shown_number", "shown_deleted", "requested_by", "ended_at",
                    "organization")  # fmt: skip
    list_display_links = ("created_at",)
    list_filter = ("state", "created_at", "organization")
    list_select_related = ("organization",)
    fields = ("organization", "number")
    page_fields = (
        "id", "organization", "state_label", "shown_number", "found", "shown_deleted", "waits_for", "created_at",
        "requested_by", "exported_at", "deletion_by", "ended_at",
    )  # fmt: skip
    buttons = (
        Button("export", _("Export as a file"), "export", icon="download", style="primary", power=Power.EDIT,
               calls_provider=True, is_offered=is_open),
        Button("delete", _("Delete everything"), "start", icon="delete_forever", style="danger", power=Power.EDIT,
               confirm=_("Delete everything of this caller? It cannot be brought back."), is_offered=is_open),
        Button("retry", _("Try again now"), "retry", icon="refresh", power=Power.EDIT,
               is_offered=lambda request: request.state == State.DELETING and bool(request.waits_for)),
        Button("close", _("Close without deleting"), "close", icon="close", power=Power.EDIT, is_offered=is_open),
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: CallerRequest | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallerRequest | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: CallerRequest | None = None) -> Any:
        return self.fields if obj is None else self.page_fields

    def get_readonly_fields(self, request: HttpRequest, obj: CallerRequest | None = None) -> tuple[str, ...]:
        return () if obj is None else self.page_fields

    def get_form(
        self, request: HttpRequest, obj: CallerRequest | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "number" in form.base_fields:
            form.base_fields["number"].required = True
        return form

    def save_model(self, request: HttpRequest, obj: CallerRequest, form: Any, change: bool) -> None:
        obj.requested_by = request.user.get_username()
        super().save_model(request, obj, form, change)

    @display(description=_("state"), ordering="state", label={str(state): color for state, color in COLORS.items()})
    def state_label(self, row: CallerRequest) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("caller's number"))
    def shown_number(self, row: CallerRequest) -> str:
        return str(row.number) or gettext("Removed")

    @display(description=_("stored now"))
    def found(self, row: CallerRequest) -> str:
        if not row.number:
            return "–"
        return counts_text(data_of(row).counts()) or gettext("Nothing is stored of this number.")

    @display(description=_("deleted or emptied"))
    def shown_deleted(self, row: CallerRequest) -> str | SafeString:
        return counts_text(row.deleted) or "–"

    def export(self, request: HttpRequest, row: CallerRequest, _: str) -> FileResponse:
        file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the response closes it
        write_export(data_of(row), file)
        CallerRequest.objects.filter(pk=row.pk).update(exported_at=timezone.now())
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"caller-{str(row.pk)[:8]}.zip")

    def start(self, request: HttpRequest, row: CallerRequest, _: str) -> str:
        start_deletion(row, by=request.user.get_username())
        return gettext("The deletion has begun. This page shows how far it is.")

    def retry(self, request: HttpRequest, row: CallerRequest, _: str) -> str:
        retry_deletion(row)
        return gettext("The deletion is tried again.")

    def close(self, request: HttpRequest, row: CallerRequest, _: str) -> str:
        close_request(row)
        return gettext("The request is closed; the number is removed from it.")
