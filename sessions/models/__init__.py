"""The conversation, and what came of it."""

from .call import Call, CallEvent
from .draft_order import DraftOrder
from .limit_count import LimitCount
from .order import Order, OrderLine, OrderModifier
from .outbox import OutboxMessage
from .room import Participant, RoomPass
from .room_agent import RoomAgent
from .transcript import ToolCall, TranscriptLine, Turn
from .voice_session import VoiceSession

__all__ = [
    "Call",
    "CallEvent",
    "DraftOrder",
    "LimitCount",
    "Order",
    "OrderLine",
    "OrderModifier",
    "OutboxMessage",
    "Participant",
    "RoomAgent",
    "RoomPass",
    "ToolCall",
    "TranscriptLine",
    "Turn",
    "VoiceSession",
]
