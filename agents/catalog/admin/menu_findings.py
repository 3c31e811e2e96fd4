"""What the linter says on a menu's page, and the buttons that mend it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from agents.catalog.lint import Finding, Severity
from agents.catalog.lint.services import apply_fix, lint_menu, summary_of
from agents.catalog.menu_lines import menu_block
from agents.catalog.models import Menu
from agents.catalog.queries import load_menu
from agents.organizations.roles import Power
from agents.tenant_admin.tenant import TenantAdmin
from voiceapp.core.errors import ApplicationError

MOST_FINDINGS = 100
COLORS = {Severity.PROBLEM: "danger", Severity.WARNING: "warning", Severity.NOTE: "info"}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with the address where it is mended."""

    finding: Finding
    url: str
    color: str


@dataclass(frozen=True, slots=True)
class Findings:
    """`more` are not shown."""

    shown: list[ShownFinding]
    summary: str
    more: int
    has_problems: bool


def findings_of(menu: Menu) -> Findings:
    found = lint_menu(menu)
    shown = [ShownFinding(each, url_of(each), COLORS[each.severity]) for each in found[:MOST_FINDINGS]]
    has_problems = any(each.severity is Severity.PROBLEM for each in found)
    return Findings(shown, summary_of(found), max(len(found) - MOST_FINDINGS, 0), has_problems)


def url_of(finding: Finding) -> str:
    """The page of the row, at the field."""
    anchor = finding.field if finding.field.endswith("-group") else f"id_{finding.field}"
    url = reverse(f"admin:agents_{finding.page}_change", args=(finding.page_pk,))
    return f"{url}#{anchor}" if finding.field else url


def agent_text(menu: Menu) -> str:
    """The menu's part of the instructions that a model gets at the start of a call."""
    return menu_block(load_menu(menu, timezone.now(), with_unpriced=False))


class MenuFindings(TenantAdmin[Menu]):
    """A button beside a finding."""

    def get_urls(self) -> list[URLPattern]:
        view = self.page(self.mend)
        return [path("<path:object_id>/mend/", view, name="agents_menu_mend"), *super().get_urls()]

    def menu_of(self, request: HttpRequest, object_id: str, power: Power) -> Menu:
        raise NotImplementedError

    def mend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do what the button of a finding says."""
        menu = self.menu_of(request, object_id, Power.EDIT)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            outcome = apply_fix(menu, request.POST.get("fix", ""))
        except ApplicationError as exc:
            self.message_user(request, str(exc), level="warning")
        else:
            self.log_change(request, menu, outcome[:200])
            self.message_user(request, outcome)
        return HttpResponseRedirect(f"{self.page_of(menu)}#findings")
