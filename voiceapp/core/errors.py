"""Errors of the user: what cannot be done, and what to do about it."""

from __future__ import annotations

from typing import ClassVar

from django_stubs_ext import StrOrPromise


class ApplicationError(Exception):
    """Its message is a sentence for the user. A class with a fixed message defines it as `message`."""

    message: ClassVar[StrOrPromise] = ""

    def __init__(self, message: StrOrPromise = "") -> None:
        super().__init__(str(message or self.message))
