"""Ids of a provider's, in a form that can be stored. Plain values: no Django."""

from __future__ import annotations

import hashlib

_DIGEST = 16


def short_id(theirs: str, *, longest: int) -> str:
    """The id in printable characters, at most `longest` of them. Different ids stay different: what was replaced or
    cut is in a digest."""
    shown = "".join(character if character.isprintable() else " " for character in theirs)
    if shown == theirs and len(theirs) <= longest:
        return theirs
    digest = hashlib.sha256(theirs.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{shown[: longest - _DIGEST - 1]}~{digest}"
