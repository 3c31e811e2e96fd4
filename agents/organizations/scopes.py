"""What a request over the API is allowed: an area, and reading or writing in it."""

from __future__ import annotations

import enum

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from .roles import Area, Power, Role, power_of


class Scope(enum.StrEnum):
    """Writing does not include reading: a key that only starts calls learns nothing of others."""

    CALLS_READ = "calls:read"
    CALLS_WRITE = "calls:write"
    CALLER_NUMBERS_READ = "caller_numbers:read"
    RECORDINGS_READ = "recordings:read"
    RECORDINGS_WRITE = "recordings:write"
    SESSIONS_WRITE = "sessions:write"

    @property
    def label(self) -> StrOrPromise:
        return LABELS[self]

    def is_granted_to(self, role: Role | None) -> bool:
        """Whether people of this role have it: reading needs VIEW in the area, writing OPERATE."""
        area, _, act = self.partition(":")
        return power_of(role, Area(area)) >= (Power.VIEW if act == "read" else Power.OPERATE)


LABELS = {
    Scope.CALLS_READ: _("Read calls and their agents"),
    Scope.CALLS_WRITE: _("Start, change and end calls"),
    Scope.CALLER_NUMBERS_READ: _("Read callers' full numbers"),
    Scope.RECORDINGS_READ: _("Read recordings"),
    Scope.RECORDINGS_WRITE: _("Start, change and stop recordings"),
    Scope.SESSIONS_WRITE: _("Open voice sessions for browsers"),
}
