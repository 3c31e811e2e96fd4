"""Ids in OpenAI's form: a prefix, an underscore, 21 letters and digits; or counted, as some servers do."""

from __future__ import annotations

import random
import string
from collections import Counter

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    return f"{prefix}_{''.join(random.choices(_ALPHABET, k=21))}"


class IdSource:
    """The ids of a session or a response. Counted ids start at 1 in each, so they repeat."""

    def __init__(self, *, are_counted: bool = False) -> None:
        self.are_counted = are_counted
        self._counts: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        if not self.are_counted:
            return new_id(prefix)
        self._counts[prefix] += 1
        return f"{prefix}_{self._counts[prefix]}"
