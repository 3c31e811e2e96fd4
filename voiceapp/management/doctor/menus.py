"""Checks the menus that callers are offered."""

from __future__ import annotations

from agents.catalog.lint import Severity
from agents.catalog.lint.services import lint_menu, summary_of
from agents.catalog.models import Menu

from .finding import Finding, failed, passed, skipped

# The doctor has two seconds for all of its checks.
MOST_MENUS = 20


def check_menus() -> Finding:
    """Only problems fail: warnings and notes are for the menu's page."""
    menus = list(Menu.objects.filter(is_active=True).select_related("organization").order_by("pk")[: MOST_MENUS + 1])
    if not menus:
        return skipped("menus", "no menu is active")
    warnings = 0
    for menu in menus[:MOST_MENUS]:
        findings = lint_menu(menu)
        if findings and findings[0].severity is Severity.PROBLEM:
            detail = f"{menu.organization}, {menu}: {summary_of(findings)}. {findings[0].text}"
            return failed("menus", detail, f"Admin, Menus, {menu}: each finding is listed there with its fix.")
        warnings += sum(finding.severity is Severity.WARNING for finding in findings)
    more = f"; only the first {MOST_MENUS} were checked" if len(menus) > MOST_MENUS else ""
    number = min(len(menus), MOST_MENUS)
    return passed("menus", f"{number} checked, without problems; {warnings} warnings{more}")
