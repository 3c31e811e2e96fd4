"""Everything that the outside line writes."""

from .admission import OtherCall, Ring, open_call
from .follow_ups import NextStep, Step, follow_up_of, set_follow_up
from .statuses import note_call_status, note_dial_result, note_message, note_stream_status
from .streams import RedeemedStream, TokenRefused, redeem_token

__all__ = [
    "NextStep",
    "OtherCall",
    "RedeemedStream",
    "Ring",
    "Step",
    "TokenRefused",
    "follow_up_of",
    "note_call_status",
    "note_dial_result",
    "note_message",
    "note_stream_status",
    "open_call",
    "redeem_token",
    "set_follow_up",
]
