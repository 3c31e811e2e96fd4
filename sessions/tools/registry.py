"""The tools that a model may call, by name, in the order in which the model sees them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from .appointment_tools import (
    BOOK_APPOINTMENT,
    CANCEL_APPOINTMENT,
    CHOOSE_APPOINTMENT,
    FIND_APPOINTMENT_TIMES,
    FIND_MY_APPOINTMENTS,
    LOOK_UP_SERVICES,
    MOVE_APPOINTMENT,
    READ_BACK_APPOINTMENT,
)
from .call_tools import END_CALL, GET_OPENING_HOURS, STOP_RECORDING, TRANSFER_CALL
from .look_up_items import LOOK_UP_ITEMS
from .order_tools import CHANGE_ORDER, CHOOSE_DELIVERY, READ_BACK_ORDER, SUBMIT_ORDER
from .text_tools import SEND_TEXT
from .tool import Tool
from .usual_tools import USUAL_ORDER


def by_name(*tools: Tool[Any]) -> dict[str, Tool[Any]]:
    return {tool.name: tool for tool in tools}


# What an agent has that takes orders; those without an order are for every trade.
TOOLS = by_name(
    LOOK_UP_ITEMS,
    CHANGE_ORDER,
    USUAL_ORDER,
    CHOOSE_DELIVERY,
    READ_BACK_ORDER,
    SUBMIT_ORDER,
    SEND_TEXT,
    TRANSFER_CALL,
    END_CALL,
    GET_OPENING_HOURS,
)
# What an agent has besides that books appointments.
APPOINTMENT_TOOLS = by_name(
    LOOK_UP_SERVICES,
    FIND_APPOINTMENT_TIMES,
    CHOOSE_APPOINTMENT,
    READ_BACK_APPOINTMENT,
    BOOK_APPOINTMENT,
    FIND_MY_APPOINTMENTS,
    MOVE_APPOINTMENT,
    CANCEL_APPOINTMENT,
)
# What every agent has while its call is recorded: it is the caller's right, and not the agent's setting.
RECORDING_TOOLS = by_name(STOP_RECORDING)
EVERY_TOOL: Mapping[str, Tool[Any]] = ChainMap(RECORDING_TOOLS, TOOLS, APPOINTMENT_TOOLS)
READING_TOOLS = frozenset(tool.name for tool in EVERY_TOOL.values() if tool.only_reads)
