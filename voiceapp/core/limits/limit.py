"""The limits, each with its setting, whom it counts, and what it does when nothing can count."""

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
    # A limit on requests counts those too that were refused for their form.
    counts_refused: bool = False
    # Nothing was created where a provider failed.
    counts_failed: bool = True

    @property
    def setting(self) -> str:
        return f"LIMIT_{self.name.upper()}"

    @property
    def rate(self) -> Rate:
        return parse_rate(getattr(settings, self.setting))


SESSION_CREATION = Limit("session_creation", counts_failed=False)
REALTIME = Limit("realtime")
RECORDING = Limit("recording")
READ = Limit("read", is_open_uncounted=True, counts_refused=True)
REALTIME_SESSION = Limit("realtime_session", is_per_tenant=True, counts_failed=False)

LIMITS = (SESSION_CREATION, REALTIME, RECORDING, READ, REALTIME_SESSION)

# Creations that failed at a provider: so many are not counted as creations.
FAILED = Limit("failed")
WRONG_CREDENTIALS = Limit("wrong_credentials", is_open_uncounted=True, counts_refused=True)
SIGN_IN = Limit("sign_in", counts_refused=True)
SIGN_IN_ADDRESS = Limit("sign_in_address", counts_refused=True)

GUARDS = (FAILED, WRONG_CREDENTIALS, SIGN_IN, SIGN_IN_ADDRESS)
