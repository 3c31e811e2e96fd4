"""Everything that the outside line writes."""

from .admission import OtherCall, Ring, open_call
from .follow_ups import NextStep, Step, follow_up_of, set_follow_up
from .streams import RedeemedStream, TokenRefused, redeem_token

__all__ = [
    "NextStep",
    "OtherCall",
    "RedeemedStream",
    "Ring",
    "Step",
    "TokenRefused",
    "follow_up_of",
    "open_call",
    "redeem_token",
    "set_follow_up",
]
