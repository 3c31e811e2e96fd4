"""The call page's settings, with the page itself and the line that a website needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.buttons import PageLink
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import Textarea, display

from .models import CallAccess, CallPage

ACCESS_COLORS: Mapping[str, str] = {CallAccess.STAFF: "info", CallAccess.LINK: "success", CallAccess.SITES: "success"}


class CallPageForm(TenantForm):
    """Websites are kept as browsers spell them."""

    def _post_clean(self) -> None:
        super()._post_clean()
        if "sites" in self.cleaned_data:
            self.cleaned_data["sites"] = self.instance.sites


@admin.register(CallPage)
class CallPageAdmin(TenantAdmin[CallPage]):
    area = Area.ORGANIZATION
    form = CallPageForm
    begins_with_organization = True
    list_display = ("access", "sites", "daily_budget_usd", "calls_at_once", "organization")
    list_select_related = ("organization",)
    fieldsets = (
        (None, {"fields": ("organization", "who_may_call", "sites")}),
        (_("Talking"), {"fields": ("uses_push_to_talk",)}),
        (_("Limits of visitors' calls"), {"fields": ("daily_budget_usd", "longest_call_minutes", "calls_at_once")}),
    )

    @display(description=_("who may call"), ordering="who_may_call", label=ACCESS_COLORS)
    def access(self, page: CallPage) -> tuple[str, str]:
        return page.who_may_call, page.get_who_may_call_display()

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "sites":
            kwargs["widget"] = Textarea(attrs={"rows": 4})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def page_links(self, request: HttpRequest, row: CallPage) -> tuple[PageLink, ...]:
        agents = f"{reverse('admin:agents_agent_changelist')}?organization__id__exact={row.organization_id}"
        return (
            PageLink(gettext("Open the page"), "call", _path(row), is_new_tab=True),
            PageLink(gettext("Model and voice: the agent"), "support_agent", agents),
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page = self.get_object(request, object_id)
        context = extra_context or {}
        if page is not None:
            context |= {
                "call_page_path": _path(page),
                "call_page_url": f"{settings.PUBLIC_BASE_URL}{_path(page)}",
                "embed_script": f"{settings.PUBLIC_BASE_URL}{static('voiceapp/embed.js')}",
            }
        return super().change_view(request, object_id, form_url, context)


def _path(page: CallPage) -> str:
    return reverse("call-page", args=(page.organization.slug,))
