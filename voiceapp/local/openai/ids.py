"""Ids in OpenAI's form: a word, an underscore, 21 letters and digits."""

from __future__ import annotations

import random
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    return f"{prefix}_{''.join(random.choices(_ALPHABET, k=21))}"
