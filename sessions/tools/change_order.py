"""Tool: add, update and remove lines of the draft, all or nothing."""

from __future__ import annotations

from sessions.orders.services.drafts import change_draft

from .tool import Answer, Tool, ToolRequest

NAMES = {"type": "string", "maxLength": 120}
FIELDS: dict[str, object] = {
    "item": NAMES | {"description": "An item's name as on the menu, with its heading where the name stands twice."},
    "size": NAMES | {"description": "One of the item's sizes. Leave it out for the usual one."},
    "quantity": {"type": "integer", "minimum": 1, "description": "How many. Leave it out for one."},
    "modifiers": {
        "type": "array",
        "items": NAMES,
        "maxItems": 30,
        "description": "Names of modifiers, also those of a group under another modifier. Twice for double. "
        "“no X” leaves out a usual one. In an update: all that the line shall have.",
    },
    "note": {"type": "string", "maxLength": 200, "description": "For the kitchen, in the caller's words."},
}
LINE: dict[str, object] = {"type": "integer", "minimum": 1, "description": "The number of a line in `order`."}


def _change(do: str, properties: dict[str, object], required: list[str]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {"do": {"type": "string", "enum": [do]}, **properties},
        "required": ["do", *required],
        "additionalProperties": False,
    }


def run(request: ToolRequest) -> Answer:
    view = change_draft(request.call, request.arguments.get("changes"), now=request.now)
    return Answer(view.said(), facts={"order": view.shown()})


TOOL = Tool(
    name="change_order",
    description="Change the caller's order. All the changes are made, or none and `say` tells why. Never say that "
    "something is in the order before this has answered.",
    parameters={
        "type": "object",
        "properties": {
            "changes": {
                "type": "array",
                "minItems": 1,
                "maxItems": 30,
                "items": {
                    "anyOf": [
                        _change("add", FIELDS, ["item"]),
                        _change("update", {"line": LINE, **FIELDS}, ["line"]),
                        _change("remove", {"line": LINE}, ["line"]),
                        _change("clear", {}, []),
                    ]
                },
            }
        },
        "required": ["changes"],
        "additionalProperties": False,
    },
    only_reads=False,
    run=run,
)
