"""Writes of agents, menus and keys."""

from .api_keys import IssuedKey, issue_key, revoke_key, rotate_key
from .item_prices import settle_price
from .publishing import publish_agent, roll_back_agent
from .stock import bring_back, count_left, take_out

__all__ = [
    "IssuedKey",
    "bring_back",
    "count_left",
    "issue_key",
    "publish_agent",
    "revoke_key",
    "roll_back_agent",
    "rotate_key",
    "settle_price",
    "take_out",
]
