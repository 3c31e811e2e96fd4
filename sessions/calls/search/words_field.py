"""The column that the full-text index reads: written with its line, in the same statement."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.db import models

from .words import words_in

# Stands between the main words and the further spellings: nobody can search for it, because letters and digits are
# different words.
BOUNDARY = "x0x"
LONGEST = 30_000


class WordsField(models.TextField[str, str]):
    """The words of the model's field `text`, behind the scope of its call. Set whenever the row is saved."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"editable": False, "default": "", **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        call = model_instance.call  # type: ignore[attr-defined]  # each row that has words is part of a call
        words = indexed_words(model_instance.text, scope_of(call.organization_id, call.owner))  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, words)
        return words


def scope_of(organization_id: UUID | None, owner: str) -> str:
    """The word by which an organization's lines are found, or those of a person who belongs to none."""
    if organization_id is not None:
        return f"o{organization_id.hex}"
    return f"u{hashlib.sha256(owner.encode()).hexdigest()[:32]}"


def indexed_words(text: str, scope: str) -> str:
    """`scope main words boundary further spellings`, with a space after each."""
    words = words_in(text)
    main, further = ([word.text for word in each] for each in (words.main, words.further))
    kept = " ".join([scope, *main, *([BOUNDARY, *dict.fromkeys(further)] if further else [])])[:LONGEST]
    return f"{kept} "
