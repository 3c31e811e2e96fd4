"""The user's errors: something that was asked cannot be done, and what to do about it."""

from __future__ import annotations

from typing import ClassVar


class ApplicationError(Exception):
    """Its message is a sentence that may be shown. A class that always says the same names it as `message`."""

    message: ClassVar[str] = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)
