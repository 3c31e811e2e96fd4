"""The admin pages of calls, orders and deliveries."""

from . import call, evidence, order, outbox, room, voice_session

__all__ = ["call", "evidence", "order", "outbox", "room", "voice_session"]
