"""Writes each change of a row of configuration to the audit log, in the transaction of the change.

Where a model is `audited`, whatever changes its rows is noticed: a form, a button, an import, `QuerySet.update`. Only
an actor's changes are written (actor.py). Of a secret the log has the fact of its change alone.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.apps import apps
from django.db import models, transaction

from .actor import Actor, current_actor

R = TypeVar("R")
Change = list[Any]  # [column, old, new], as JSON

SECRET_WORDS = ("secret", "password", "sealed", "nonce", "token")
HIDDEN = "••••"
LONGEST_VALUE = 20_000
LONGEST_NAME = 200
# Columns of job rows, of when a row was made, and of whose it is: nobody enters them.
BOOKKEEPING = frozenset({
    "id", "organization", "created_at", "partition_key", "state", "attempts", "due_at", "lease_expires_at",
    "last_error", "done_at", "topic",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audited:
    """`ignored`: columns of which the log has nothing. `page`: the relation to the row on whose page it stands."""

    ignored: frozenset[str] = frozenset()
    page: str = ""


@dataclass(slots=True)
class _Batch:
    """Entries that are written together, at the end."""

    entries: list[models.Model] = field(default_factory=list)
    names: dict[tuple[str, object], str] = field(default_factory=dict)
    organization_ids: dict[tuple[str, object], Any] = field(default_factory=dict)


_batch: ContextVar[_Batch | None] = ContextVar("audit_batch", default=None)


@contextmanager
def one_batch() -> Iterator[None]:
    """For the changes of many rows in one transaction, which ends with this or rolls all of them back."""
    if _batch.get() is not None:
        yield
        return
    batch = _Batch()
    before = _batch.set(batch)
    try:
        yield
        if batch.entries:
            _entry_model()._default_manager.bulk_create(batch.entries, batch_size=500)
    finally:
        _batch.reset(before)


def rules_of(model: type[models.Model]) -> Audited | None:
    rules: Audited | None = getattr(model, "audited", None)
    return rules


def is_recorded(model: type[models.Model]) -> bool:
    return rules_of(model) is not None and current_actor() is not None


# What the base class of all rows calls (tenancy.py)


def saved(row: models.Model, columns: Iterable[str] | None, save: Callable[[], None]) -> None:
    """Run `save`, and write what it changed. `columns`: those that it writes; None: all."""
    fields = _fields(type(row), None if columns is None else set(columns))
    with transaction.atomic(savepoint=False):
        rows = type(row)._base_manager.filter(pk=row.pk) if not row._state.adding else None
        old = rows.values(*(each.attname for each in fields)).first() if rows is not None else None
        save()
        new = {each.attname: _plain(each, getattr(row, each.attname)) for each in fields}
        if old is None:
            _write(row, "added", [change for each in fields if (change := _added(each, new[each.attname]))])
        else:
            _write_changes(row, fields, old, new)


def updated(rows: models.QuerySet[Any], values: Mapping[str, Any], update: Callable[[], int]) -> int:
    """Run `update` of the rows with the values, and write what it changed."""
    meta = rows.model._meta
    fields = [each for each in _fields(rows.model, None) if {each.name, each.attname} & set(values)]
    if not fields:
        return update()
    with transaction.atomic(savepoint=False):
        before = list(_locked(rows))
        changed = update()
        if not changed:
            return 0
        given = {meta.get_field(name).attname: value for name, value in values.items()}
        is_known = len(before) == changed and not any(hasattr(each, "resolve_expression") for each in given.values())
        after = {} if is_known else rows.model._base_manager.in_bulk([row.pk for row in before])
        for row in before:
            old = {each.attname: getattr(row, each.attname) for each in fields}
            now = after.get(row.pk)
            if not is_known and now is None:
                continue
            new = {
                each.attname: _plain(each, given[each.attname]) if is_known else getattr(now, each.attname)
                for each in fields
            }
            _write_changes(row, fields, old, new)
        return changed


def removed(rows: Sequence[models.Model], delete: Callable[[], R]) -> R:
    """Run `delete` of the rows, and write what they said."""
    with transaction.atomic(savepoint=False):
        entries = [(row, _entry(row, "removed", _values(row))) for row in rows if _outlives(row)]
        result = delete()
        _keep([entry for _, entry in entries if entry is not None])
        return result


def made(rows: Sequence[models.Model], create: Callable[[], R]) -> R:
    """Run `create` of many rows, and write what they say."""
    with transaction.atomic(savepoint=False):
        result = create()
        for row in rows:
            changes = [
                change for each in _fields(type(row), None) if (change := _added(each, each.value_from_object(row)))
            ]
            _write(row, "added", changes)
        return result


# What services call


def record_links(row: models.Model, name: str, *, old: Iterable[object], new: Iterable[object]) -> None:
    """Rows that were linked to this one before, and that are now, by their names."""
    before, after = sorted(map(str, old)), sorted(map(str, new))
    if before != after and is_recorded(type(row)):
        _write(row, "changed", [[name, ", ".join(before), ", ".join(after)]])


def record_event(row: models.Model, name: str, *, old: str = "", new: str = "") -> None:
    """What no column of the row says, such as that its person has a new password."""
    if is_recorded(type(row)):
        _write(row, "changed", [[name, old, new]])


def is_secret(name: str) -> bool:
    return any(word in name for word in SECRET_WORDS)


# Entries


def page_key(model: type[models.Model], pk: object) -> str:
    """How the entries of a page are found."""
    return f"{model._meta.label_lower}:{pk}"


def _write_changes(row: models.Model, fields: Sequence[Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    changes = [
        [each.name, _json(each, old[each.attname]), _json(each, new[each.attname])]
        for each in fields
        if old[each.attname] != new[each.attname]
    ]
    if changes:
        _write(row, "changed", changes)


def _write(row: models.Model, action: str, changes: list[Change]) -> None:
    entry = _entry(row, action, changes)
    if entry is not None:
        _keep([entry])


def _keep(entries: list[models.Model]) -> None:
    batch = _batch.get()
    if batch is not None:
        batch.entries += entries
    elif entries:
        _entry_model()._default_manager.bulk_create(entries, batch_size=500)


def _entry(row: models.Model, action: str, changes: list[Change]) -> models.Model | None:
    actor = current_actor()
    organization_id = _organization_id(row)
    if actor is None or organization_id is None:
        return None
    return _entry_model()(
        organization_id=organization_id,
        action=action,
        kind=row._meta.label_lower,
        row_id=str(row.pk),
        name=str(row)[:LONGEST_NAME],
        page=_page_of(row),
        changes=changes,
        **_columns_of(actor),
    )


def _columns_of(actor: Actor) -> dict[str, Any]:
    return {"user_id": actor.user_id, "actor": actor.name, "via": actor.via, "place": actor.place}


def _page_of(row: models.Model) -> str:
    rules = rules_of(type(row))
    if rules is None or not rules.page:
        return page_key(type(row), row.pk)
    relation = type(row)._meta.get_field(rules.page)
    return page_key(relation.related_model, getattr(row, relation.attname))  # type: ignore[arg-type, union-attr]


def _organization_id(row: models.Model) -> Any:
    """By the path that the model declares; read once for all rows of one owner in a batch."""
    first, _, rest = str(getattr(row, "tenant_path", "")).partition("__")
    if not rest:
        return getattr(row, first, None)
    batch, relation = _batch.get(), type(row)._meta.get_field(first)
    key = (f"{row._meta.label}.{first}", getattr(row, relation.attname))  # type: ignore[union-attr]
    if batch is not None and key in batch.organization_ids:
        return batch.organization_ids[key]
    value: object = getattr(row, first)
    for step in rest.split("__"):
        value = getattr(value, step, None)
    if batch is not None:
        batch.organization_ids[key] = value
    return value


def _outlives(row: models.Model) -> bool:
    """The log of an organization goes with it."""
    return row._meta.label_lower != "agents.organization"


def _entry_model() -> type[models.Model]:
    return apps.get_model("agents", "AuditEntry")


# Values


def _fields(model: type[models.Model], names: set[str] | None) -> list[Any]:
    rules = rules_of(model) or Audited()
    return [
        each
        for each in model._meta.concrete_fields
        if each.name not in rules.ignored | BOOKKEEPING and (names is None or {each.name, each.attname} & names)
    ]


def _locked(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows as they are until they are changed; what tells their names and organizations comes along."""
    path = str(getattr(rows.model, "tenant_path", "")).rpartition("__")[0]
    plain = rows.order_by()
    query = plain.query
    if query.annotations or query.distinct or query.is_sliced:
        return plain
    return plain.select_related(*([path] if path else [])).select_for_update(of=("self",))


def _plain(column: Any, value: Any) -> Any:
    """As the database will return it: a form's “9.5” and the column's 9.50 are one price."""
    if isinstance(value, models.Model):
        value = value.pk
    if isinstance(column, models.ForeignKey):
        return column.target_field.to_python(value)
    return column.to_python(value)


def _added(column: Any, value: Any) -> Change | None:
    """What a new row says beyond its defaults."""
    if value in (None, "", [], {}) or (column.has_default() and value == column.get_default()):
        return None
    return [column.name, None, _json(column, value)]


def _values(row: models.Model) -> list[Change]:
    fields = [(each, each.value_from_object(row)) for each in _fields(type(row), None)]
    return [[each.name, _json(each, value), None] for each, value in fields if value not in (None, "", [], {})]


def _json(column: Any, value: Any) -> Any:
    if value is None or value == "":
        return None
    if is_secret(column.name):
        return HIDDEN
    if isinstance(column, models.ForeignKey):
        return _name_of(column, value)
    if isinstance(value, decimal.Decimal):
        return f"{value:.{column.decimal_places}f}" if isinstance(column, models.DecimalField) else str(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bool, int, float, list, dict)):
        return value
    if isinstance(value, (bytes, memoryview)):
        return HIDDEN
    return (str(value) if not isinstance(value, uuid.UUID) else value.hex)[:LONGEST_VALUE]


def _name_of(column: Any, value: object) -> str:
    """Of the row that a relation points at: it may be gone when somebody reads the log."""
    batch, key = _batch.get(), (column.related_model._meta.label, value)
    if batch is not None and key in batch.names:
        return batch.names[key]
    row = column.related_model._base_manager.filter(pk=value).first()
    name = str(row)[:LONGEST_NAME] if row is not None else str(value)
    if batch is not None:
        batch.names[key] = name
    return name
