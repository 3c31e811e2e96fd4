"""The admin pages of calls, orders and deliveries."""

from . import call, evidence, order, outbox

__all__ = ["call", "evidence", "order", "outbox"]
