"""The five limits, each with its setting, whom it counts, and what it does when nothing can count."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from .rates import Rate, parse_rate


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table in docs/limits.md. Its rate is the setting `LIMIT_<NAME>`."""

    name: str
    is_per_tenant: bool = False
    # What only reads may go on uncounted; what makes something, or costs money, may not.
    is_open_uncounted: bool = False

    @property
    def setting(self) -> str:
        return f"LIMIT_{self.name.upper()}"

    @property
    def rate(self) -> Rate:
        return parse_rate(getattr(settings, self.setting))


SESSION_CREATION = Limit("session_creation")
REALTIME = Limit("realtime")
RECORDING = Limit("recording")
READ = Limit("read", is_open_uncounted=True)
REALTIME_SESSION = Limit("realtime_session", is_per_tenant=True)

LIMITS = (SESSION_CREATION, REALTIME, RECORDING, READ, REALTIME_SESSION)
