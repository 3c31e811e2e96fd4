"""How often each may ask: five limits, counted exactly, told on every answer (docs/limits.md)."""

from .limit import LIMITS, READ, REALTIME, REALTIME_SESSION, RECORDING, SESSION_CREATION, Limit
from .views import LimitedView

__all__ = [
    "LIMITS",
    "READ",
    "REALTIME",
    "REALTIME_SESSION",
    "RECORDING",
    "SESSION_CREATION",
    "Limit",
    "LimitedView",
]
