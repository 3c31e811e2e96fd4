"""What a company did wrong, and whether it is worth asking again."""

from __future__ import annotations


class ProviderError(Exception):
    """`permanent`: the same request would fail again."""

    def __init__(self, company: str, message: str, *, permanent: bool = False) -> None:
        super().__init__(f"{company}: {message}")
        self.company = company
        self.permanent = permanent
