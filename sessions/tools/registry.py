"""The tools that a model may call, by name."""

from __future__ import annotations

from typing import Any

from .call_tools import END_CALL, GET_OPENING_HOURS, TRANSFER_CALL
from .look_up_items import LOOK_UP_ITEMS
from .order_tools import CHANGE_ORDER, READ_BACK_ORDER, SUBMIT_ORDER
from .tool import Tool

# In the order in which the model sees them.
TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tool in (
        LOOK_UP_ITEMS,
        CHANGE_ORDER,
        READ_BACK_ORDER,
        SUBMIT_ORDER,
        TRANSFER_CALL,
        END_CALL,
        GET_OPENING_HOURS,
    )
}
READING_TOOLS = frozenset(tool.name for tool in TOOLS.values() if tool.only_reads)
