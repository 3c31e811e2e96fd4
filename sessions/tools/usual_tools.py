"""The tool for callers who want the same as last time."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from sessions.orders.draft.requests import argument
from sessions.orders.services.usual import forget, say_usual, take_usual

from .tool import Answer, Tool, ToolRequest


class Usual(Struct):
    do: Annotated[
        Literal["say", "take", "forget"],
        argument(
            "Would you like the same as last time?",
            "say: what it is. take: put it into the order, when the caller wants it. forget: the caller does not want "
            "earlier orders to be looked up.",
        ),
    ]


def usual_order(request: ToolRequest[Usual]) -> Answer:
    call, now = request.call, request.now
    match request.arguments.do:
        case "say":
            return Answer(say_usual(call, now=now))
        case "forget":
            return Answer(forget(call))
    view, problems = take_usual(call, now=now, caller_turns=request.caller_turns)
    return Answer(" ".join([view.said(), *problems]), facts={"order": view.shown()})


USUAL_ORDER = Tool(
    name="usual_order",
    description="What the caller usually orders, by the number of the call, at the prices of now. Only when the caller "
    "asks for the usual, or for the same as last time; never say by yourself what somebody has ordered before.",
    arguments=Usual,
    only_reads=False,
    run=usual_order,
)
