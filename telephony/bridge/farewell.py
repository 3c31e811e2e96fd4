"""The end of a call that was decided and waits to be heard."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.end_reasons import EndReason

from .actions import FollowUp

# A farewell that is not even spoken within this is not waited for.
GUARD_MS = 15_000
# The estimate of what is still to be heard may be this wrong.
SLACK_MS = 2_000


@dataclass(slots=True)
class Farewell:
    """Firm: it ends the call even if the caller speaks into it. Bounded: its audio is here, its end is near."""

    reason: EndReason
    follow_up: FollowUp
    is_firm: bool = False
    is_bounded: bool = False
