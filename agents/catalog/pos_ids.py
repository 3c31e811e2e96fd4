"""What a point of sale calls the items, sizes and modifiers of a menu: listed, and entered many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from agents.catalog.exchange.columns import MODELS, NAMED, POS_ID, Kind
from agents.catalog.exchange.state import MenuState
from agents.catalog.models import Menu


@dataclass(frozen=True, slots=True)
class PosRow:
    """`key` names it in a form: “item-12”. `is_shared`: another row of the menu has the same ID."""

    key: str
    kind: str
    label: str
    pos_id: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """What a page showed, and what was typed there."""

    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`overtaken` are rows that somebody else has changed since the page was shown; `refused` is by key."""

    changed: Sequence[str]
    overtaken: Sequence[str]
    refused: Mapping[str, str]


def rows_of(menu: Menu) -> list[PosRow]:
    """In the order of the menu."""
    nodes = [node for node in MenuState(menu).in_order() if node.kind in NAMED]
    times = Counter(node.old[POS_ID] for node in nodes)
    return [
        PosRow(
            key_of(node.kind, node.pk or 0),
            str(node.kind),
            node.label,
            node.old[POS_ID],
            is_shared=bool(node.old[POS_ID]) and times[node.old[POS_ID]] > 1,
        )
        for node in nodes
    ]


def save_pos_ids(menu: Menu, typed: Mapping[str, Typed]) -> Outcome:
    """All that can be saved. A row is changed only if it is still as the page showed it."""
    labels = {row.key: row.label for row in rows_of(menu)}
    changed: list[str] = []
    overtaken: list[str] = []
    refused: dict[str, str] = {}
    with transaction.atomic():
        for key, each in typed.items():
            if key not in labels or each.now == each.was:
                continue
            kind, _, pk = key.partition("-")
            model = MODELS[Kind(kind)]
            try:
                model(pos_id=each.now).clean_fields(exclude={f.name for f in model._meta.fields} - {"pos_id"})
            except ValidationError as exc:
                refused[key] = " ".join(exc.messages)
                continue
            is_saved = model.objects.filter(pk=int(pk), pos_id=each.was).update(pos_id=each.now)
            (changed if is_saved else overtaken).append(labels[key])
    return Outcome(changed, overtaken, refused)


def key_of(kind: Kind, pk: int) -> str:
    return f"{kind}-{pk}"
