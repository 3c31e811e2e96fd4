"""Runs the linter on a menu, and does what its buttons say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Item, Menu, Modifier, ModifierGroup, Size
from agents.catalog.offers import Catalog, ItemOffer, Offer
from agents.catalog.queries import load_catalog, load_menu
from agents.catalog.services import mark_available
from agents.hours.queries import load_schedule
from agents.organizations.models import Organization
from agents.organizations.trades import language_of
from voiceapp.core.errors import ApplicationError
from voiceapp.core.languages import base_language

from . import choices, names
from .finding import Finding, Fix, Severity

MODELS: dict[str, type[Item | Size | Modifier]] = {"item": Item, "size": Size, "modifier": Modifier}


class NoLongerFound(ApplicationError):
    message = _("The menu has changed meanwhile: this finding is gone. Nothing was done.")


def language_of_menu(organization: Organization) -> str:
    """That of the agent who answers, else of the country: a code like “de”."""
    of_agent = organization.agents.order_by("-is_default", "pk").values_list("language", flat=True).first()
    return base_language(of_agent or "") or language_of(organization.region)


def lint_menu(menu: Menu, now: dt.datetime | None = None) -> list[Finding]:
    """What is wrong with a menu, the worst first. 500 items take less than 300 ms."""
    now = now or timezone.now()
    catalog = load_menu(menu, now)
    found = [*_names(menu, catalog, now), *_choices(menu, catalog, now)]
    return sorted(found, key=lambda finding: finding.severity)


def problems_of(organization: Organization, now: dt.datetime | None = None) -> list[tuple[Menu, list[Finding]]]:
    """The findings of each active menu."""
    menus = Menu.objects.filter(organization=organization, is_active=True).select_related("organization")
    return [(menu, lint_menu(menu, now)) for menu in menus]


def _names(menu: Menu, catalog: Catalog, now: dt.datetime) -> Iterator[Finding]:
    language = language_of_menu(menu.organization)
    forms = names.forms_of_items(catalog.items) + names.forms_of_items(_others(menu, now), is_mine=False)
    for each in (forms, *names.forms_of_choices(catalog.items)):
        yield from names.same_names(each)
        yield from names.sound_alikes(each, language)
    yield from names.unsaid_names(_offers(catalog), language)


def _others(menu: Menu, now: dt.datetime) -> tuple[ItemOffer, ...]:
    """What is sold beside the menu, which callers must be able to tell from it."""
    others = Menu.objects.filter(organization=menu.organization_id, is_active=True).exclude(pk=menu.pk)
    if not menu.is_active or not others.exists():
        return ()
    mine = set(Item.objects.filter(category__menu=menu).values_list("pk", flat=True))
    return tuple(item for item in load_catalog(menu.organization_id, now).items if item.id not in mine)


def _offers(catalog: Catalog) -> Iterator[tuple[str, Offer, str, int]]:
    """Every name that is said, once, with the page where it is changed."""
    seen: set[int] = set()
    for item in catalog.items:
        yield "item", item, "item", item.id
        for group in item.all_groups():
            for modifier in group.modifiers:
                if modifier.id not in seen:
                    seen.add(modifier.id)
                    yield "modifier", modifier, "modifier", modifier.id


def _choices(menu: Menu, catalog: Catalog, now: dt.datetime) -> Iterator[Finding]:
    rows = Item.objects.filter(category__menu=menu)
    yield from choices.groups_not_met(catalog.items)
    unused = ModifierGroup.objects.filter(menu=menu, items__isnull=True, under__isnull=True)
    yield from choices.unused_groups(unused.values_list("pk", "name"))
    unpriced = rows.filter(price__isnull=True, sizes__isnull=True).values_list("pk", flat=True)
    yield from choices.prices(catalog.items, unpriced)
    servings = {item.id: item.serving for item in catalog.items if item.serving is not None}
    yield from choices.never_sold(catalog.items, servings, load_schedule(menu.organization), now)
    out = rows.filter(Q(count_left=0) | Q(is_out=True, out_until__isnull=True))
    yield from choices.sold_out(out.values_list("pk", "name"))


@transaction.atomic
def apply_fix(menu: Menu, key: str) -> str:
    """Do what a button says, if its finding is still there. Returns a sentence; raises NoLongerFound."""
    Menu.objects.select_for_update().get(pk=menu.pk)
    fix = next((found.fix for found in lint_menu(menu) if found.fix and found.fix.key == key), None)
    if fix is None:
        raise NoLongerFound
    return {"remove-alias": _remove_alias, "lower-minimum": _lower_minimum, "mark-available": _mark_available}[
        fix.action
    ](fix)


def _remove_alias(fix: Fix) -> str:
    row = MODELS[fix.kind].objects.get(pk=fix.pk)
    left = [each.strip() for each in row.aliases.split(",") if each.strip() and each.strip() != fix.text]
    row.aliases = ", ".join(left)
    if row.spoken_name == fix.text:
        row.spoken_name = ""
    row.save(update_fields=["aliases", "spoken_name"])
    return gettext("“%(fix)s” is no alias of %(row)s any more.") % {"fix": fix.text, "row": row}


def _lower_minimum(fix: Fix) -> str:
    group = ModifierGroup.objects.get(pk=fix.pk)
    group.minimum = int(fix.text)
    group.save(update_fields=["minimum"])
    return gettext("%(group)s requires %(minimum)s now.") % {"group": group, "minimum": group.minimum}


def _mark_available(fix: Fix) -> str:
    row = Item.objects.get(pk=fix.pk)
    mark_available(row)
    return gettext("%(row)s is available again.") % {"row": row}


def summary_of(findings: list[Finding]) -> str:
    """“2 problems, 1 warning”; empty where there are neither."""
    problems, warnings = (
        sum(finding.severity is severity for finding in findings) for severity in (Severity.PROBLEM, Severity.WARNING)
    )
    parts = (
        (problems, ngettext("%(number)s problem", "%(number)s problems", problems)),
        (warnings, ngettext("%(number)s warning", "%(number)s warnings", warnings)),
    )
    return ", ".join(text % {"number": number} for number, text in parts if number)
