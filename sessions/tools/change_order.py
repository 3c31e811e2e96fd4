"""Tool: add, update and remove lines of the draft, all or nothing."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from sessions.orders.draft.changes import MOST_CHANGES
from sessions.orders.draft.requests import Change
from sessions.orders.services.drafts import change_draft

from .tool import Answer, Tool, ToolRequest, schema_of

CHANGES = schema_of(Annotated[list[Change], Meta(min_length=1, max_length=MOST_CHANGES)])


class Changes(Struct):
    """The draft validates each change, and its refusals say what is wrong."""

    changes: Annotated[Any, Meta(extra_json_schema=CHANGES)]


def run(request: ToolRequest[Changes]) -> Answer:
    view = change_draft(request.call, request.arguments.changes, now=request.now)
    return Answer(view.said(), facts={"order": view.shown()})


TOOL = Tool(
    name="change_order",
    description="Change the caller's order. All the changes are made, or none and `say` tells why. Never say that "
    "something is in the order before this has answered.",
    arguments=Changes,
    only_reads=False,
    run=run,
)
