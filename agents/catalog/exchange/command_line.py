"""Finds the menu that a command names."""

from __future__ import annotations

from django.core.management.base import CommandError

from agents.catalog.models import Menu


def find_menu(named: str) -> Menu:
    """By its id; or by its organization's short name, where that has one menu. Raises CommandError."""
    menus = Menu.objects.select_related("organization")
    found = list(
        menus.filter(pk=named) if named.isdigit() and len(named) < 19 else menus.filter(organization__slug=named)
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"“{named}” has {len(found)} menus. Give one of their ids: {listed(found)}.")
    raise CommandError(f"There is no menu “{named}”. Give an id: {listed(list(menus[:10])) or 'there are none'}.")


def listed(menus: list[Menu]) -> str:
    return ", ".join(f"{menu.pk} ({menu.organization.slug}, {menu})" for menu in menus)
