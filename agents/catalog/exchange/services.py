"""Imports a file into a menu: all of it in one transaction, or nothing."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Menu, MenuChange
from agents.organizations.auditing import is_recorded, one_batch, record_links
from voiceapp.core.errors import ApplicationError

from .columns import BY_NAME, GROUPS, IN, MODELS, ORDER, PARENT_FIELDS, TIMES, Kind, columns_of
from .plan import Action, Change, Plan, make_plan
from .state import MenuState, Node
from .table import Table

LONGEST_ENTRY = 500


class HasChanged(ApplicationError):
    """Somebody changed the menu after the preview was made."""

    message = _("The menu was changed after this preview was made. Nothing was saved: check the differences once more.")


class HasProblems(ApplicationError):
    """The file cannot be imported as it is."""

    message = _("Nothing was imported: correct the file first.")


def preview(menu: Menu, table: Table, *, with_stock: bool = False) -> Plan:
    """What `apply_table` would do. Changes nothing."""
    return make_plan(table, MenuState(menu), with_stock=with_stock)


@transaction.atomic
def apply_table(
    menu: Menu, table: Table, *, by: str, title: str, digest: str = "", with_stock: bool = False, remove: bool = False
) -> Plan:
    """Make the menu as the file says; what it does not have is removed only with `remove`.

    `digest` is that of the preview which a person confirmed. Raises HasChanged or HasProblems.
    """
    # One import, and one save of the menu's page, at a time.
    menu = Menu.objects.select_for_update().select_related("organization").get(pk=menu.pk)
    with one_batch():
        return _apply(menu, table, by=by, title=title, digest=digest, with_stock=with_stock, remove=remove)


def _apply(menu: Menu, table: Table, *, by: str, title: str, digest: str, with_stock: bool, remove: bool) -> Plan:
    plan = preview(menu, table, with_stock=with_stock)
    if digest and digest != plan.digest:
        raise HasChanged
    if plan.problems:
        raise HasProblems
    gone = plan.of(Action.MISSING) if remove else []
    _write(plan)
    for change in reversed(gone):
        MODELS[change.node.kind].objects.filter(pk=change.node.pk).delete()
    kept = [*plan.of(Action.ADDED), *plan.of(Action.CHANGED), *gone]
    if kept or plan.reordered:
        entries = [entry for change in kept for entry in _entries(change)]
        MenuChange.objects.create(menu=menu, title=title[:200], made_by=by[:150], entries=entries)
    return plan


def _write(plan: Plan) -> None:
    changes = [*plan.of(Action.ADDED), *plan.of(Action.CHANGED)]
    # A default that is taken away comes first: an item has only one default size.
    changes.sort(key=lambda change: (ORDER.index(change.node.kind), bool(change.node.value("default"))))
    for change in changes:
        _save(change.node, plan.state)
    for node, position in plan.reordered:
        MODELS[node.kind].objects.filter(pk=node.pk).update(position=position)
    for change in changes:
        if GROUPS in change.node.new:
            groups = change.node.new[GROUPS]
            row = MODELS[change.node.kind].objects.get(pk=change.node.pk)
            old = list(row.modifier_groups.all()) if is_recorded(type(row)) else []
            row.modifier_groups.set([each.pk for each in groups])
            if is_recorded(type(row)):
                record_links(row, "modifier_groups", old=old, new=row.modifier_groups.all())


def _save(node: Node, state: MenuState) -> None:
    """A new row, or the columns that the file changes: what a call does to the others meanwhile stays."""
    values: dict[str, Any] = {}
    for column in columns_of(node.kind):
        if column.name not in node.new or column.name == GROUPS:
            continue
        value = node.new[column.name]
        if column.name == TIMES:
            daypart = state.dayparts.get(str(value).casefold())
            values["daypart_id"] = daypart.pk if daypart else None
        elif node.pk is None or state.text(column, value) != state.text(column, node.old[column.name]):
            values[column.field] = list(value) if isinstance(value, tuple) else value
    home = node.home if node.pk is None else node.new_parent
    if home is not None and node.kind is not Kind.MENU:
        values[f"{PARENT_FIELDS[node.kind]}_id"] = home.pk
    model = MODELS[node.kind]
    if node.pk is None:
        node.pk = model.objects.create(**values).pk
    elif values:
        model.objects.filter(pk=node.pk).update(**values)


def _entries(change: Change) -> list[dict[str, object]]:
    """For the menu's changes, by which prices can be put back."""
    about: dict[str, object] = {"kind": change.kind, "id": change.node.pk, "name": change.label[:LONGEST_ENTRY]}
    if change.action is not Action.CHANGED:
        return [about | {"column": "", "old": "", "new": change.action.value}]
    return [
        about
        | {
            "column": BY_NAME[each.column].name if each.column != IN else IN,
            "old": each.old[:LONGEST_ENTRY],
            "new": each.new[:LONGEST_ENTRY],
        }
        for each in change.differences
    ]
