"""The user's errors: something that was asked cannot be done, and what to do about it."""

from __future__ import annotations


class ApplicationError(Exception):
    """Its message is a sentence that may be shown."""
