"""Transfers: who was called, what became of it, and how long they talked."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.calls.admin.call import call_link

from .models import Transfer, TransferAttempt, TransferState

COLORS = {
    TransferState.WAITING: "info",
    TransferState.JOINING: "info",
    TransferState.TALKING: "info",
    TransferState.TALKED: "success",
    TransferState.NOBODY: "warning",
    TransferState.CALLER_LEFT: "warning",
}


class AttemptInline(TenantInline):
    model = TransferAttempt
    area = Area.CALLS
    is_read_only = True
    verbose_name_plural = _("people called")
    fields = readonly_fields = ("dialed_at", "name", "state", "failure", "caller_id", "answered_at", "ended_at")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin[Transfer]):
    """The summary is left out: it names the caller's number, which not everybody may see."""

    area = Area.CALLS
    list_display = ("created_at", "name", "mode", "shown_state", "talk", "of_call")
    list_filter = ("state", "mode", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("name",)
    ordering = ("-created_at",)
    fields = ("created_at", "name", "mode", "if_nobody", "shown_state", "failure", "accepted_at", "joined_at",
              "ended_at", "talk", "of_call")  # fmt: skip
    readonly_fields = ("shown_state", "talk", "of_call")
    inlines = (AttemptInline,)

    @display(description=_("state"), label={str(state): color for state, color in COLORS.items()})
    def shown_state(self, transfer: Transfer) -> tuple[str, str]:
        return transfer.state, transfer.get_state_display()

    @display(description=_("talked for"))
    def talk(self, transfer: Transfer) -> str:
        return "–" if transfer.talk_s is None else f"{transfer.talk_s} s"

    @display(description=_("call"))
    def of_call(self, transfer: Transfer) -> str:
        return call_link(transfer.call)
