"""The page that says what a point of sale calls each thing of a menu."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.catalog.models import Menu
from agents.catalog.pos_ids import Outcome, Typed, rows_of, save_pos_ids
from agents.organizations.roles import Power

from .menu_prices import MenuPrices

# Two fields each: a form has at most 1000.
ROWS_PER_PAGE = 200


class MenuPosIds(MenuPrices):
    """POS IDs of many rows at once."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<path:object_id>/pos-ids/", self.page(self.pos_ids), name="agents_menu_pos_ids"),
            *super().get_urls(),
        ]

    def pos_ids(self, request: HttpRequest, object_id: str) -> HttpResponse:
        menu = self.menu_of(request, object_id, Power.EDIT)
        if request.method != "POST":
            return self._show_pos_ids(request, menu)
        outcome = save_pos_ids(menu, _typed(request))
        if outcome.changed:
            self.log_change(request, menu, _said(outcome))
            self.message_user(request, _said(outcome))
        if outcome.overtaken:
            names = ", ".join(outcome.overtaken[:5])
            self.message_user(request, _("Changed by somebody else meanwhile, and left: %s.") % names, level="warning")
        if outcome.refused:
            return self._show_pos_ids(request, menu, outcome)
        return HttpResponseRedirect(request.get_full_path())

    def _show_pos_ids(self, request: HttpRequest, menu: Menu, outcome: Outcome | None = None) -> HttpResponse:
        rows = rows_of(menu)
        refused = outcome.refused if outcome else {}
        page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("POS IDs of %(menu)s") % {"menu": menu},
            "opts": self.opts,
            "menu": menu,
            "menu_url": self.page_of(menu),
            "page": page,
            "rows": [(row, request.POST.get(row.key, row.pos_id), refused.get(row.key, "")) for row in page],
            "missing": sum(not row.pos_id for row in rows),
            "total": len(rows),
            "refused": len(refused),
        }
        return TemplateResponse(request, "admin/agents/menu/pos_ids.html", context)


def _typed(request: HttpRequest) -> dict[str, Typed]:
    fields = request.POST.dict()
    return {
        name: Typed(str(fields[f"was-{name}"]), " ".join(str(value).split()))
        for name, value in fields.items()
        if f"was-{name}" in fields
    }


def _said(outcome: Outcome) -> str:
    count = len(outcome.changed)
    return ngettext("%(count)s POS ID was changed.", "%(count)s POS IDs were changed.", count) % {"count": count}
