"""Errors of the user: what cannot be done, and what to do about it."""

from __future__ import annotations

from typing import ClassVar


class ApplicationError(Exception):
    """Its message is a sentence for the user. A class with a fixed message defines it as `message`."""

    message: ClassVar[str] = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)
