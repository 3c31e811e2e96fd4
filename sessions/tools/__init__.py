"""The tools that a model may use, by name."""

from typing import Any

from agents.organizations.trades import ORDER_TOOLS
from sessions.tools import (
    change_order,
    end_call,
    get_opening_hours,
    look_up_items,
    read_back_order,
    submit_order,
    transfer_call,
)

from .tool import Answer, Tool, ToolRequest, result_of

TOOLS: dict[str, Tool[Any]] = {
    module.TOOL.name: module.TOOL
    for module in (
        look_up_items,
        change_order,
        read_back_order,
        submit_order,
        transfer_call,
        end_call,
        get_opening_hours,
    )
}
READING_TOOLS = frozenset(tool.name for tool in TOOLS.values() if tool.only_reads)

__all__ = ["ORDER_TOOLS", "READING_TOOLS", "TOOLS", "Answer", "Tool", "ToolRequest", "result_of"]
