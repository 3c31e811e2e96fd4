"""What is stored of a provider's events: an allow-list per event. A field that is added tomorrow is not stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Names to store. A mapping goes one level down, into an object or into each object of a list.
Allowed = Mapping[str, "Allowed | None"]


def names(names_: str, **below: Allowed) -> Allowed:
    return dict.fromkeys(names_.split()) | below


def kept(record: Mapping[str, object], allowed: Allowed) -> dict[str, object]:
    return {name: _below(value, allowed[name]) for name, value in record.items() if _is_kept(value, name, allowed)}


def _is_kept(value: object, name: str, allowed: Allowed) -> bool:
    """A plain value where a name stands alone, objects where names stand below it."""
    is_plain = not isinstance(value, Mapping | list | tuple)
    return name in allowed and is_plain is (allowed[name] is None)


def _below(value: Any, allowed: Allowed | None) -> object:
    if allowed is None:
        return value
    if isinstance(value, Sequence):
        return [kept(each, allowed) for each in value if isinstance(each, Mapping)]
    return kept(value, allowed)
