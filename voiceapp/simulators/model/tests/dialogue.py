"""A conversation built by hand, and a short summary of what the model does next."""

from __future__ import annotations

from typing import Any

from voiceapp.simulators.model.agent.decisions import decide
from voiceapp.simulators.model.agent.outputs import FunctionCall, Output
from voiceapp.simulators.model.conversation import (
    AgentTurn,
    CallerTurn,
    FunctionTool,
    ModelBrief,
    ToolRequest,
    ToolResult,
    Turn,
)

TOOLS = (
    "look_up_items", "change_order", "read_back_order", "submit_order", "transfer_call", "end_call",
    "get_opening_hours", "send_text", "stop_recording",
)  # fmt: skip
Line = dict[str, Any]


def order_line(number: int, item: str, *modifiers: str, quantity: int = 1, size: str = "") -> Line:
    """A line of the order as the tools return it."""
    return {
        "line": number, "quantity": quantity, "item": item, "size": size, "modifiers": list(modifiers), "note": "",
        "price": "9.50",
    }  # fmt: skip


class Dialogue:
    """`menu` is the menu's lines; the caller, the agent and the tools add turns in order."""

    def __init__(self, menu: str, *, tools: tuple[str, ...] = TOOLS) -> None:
        self.brief = ModelBrief(menu, tuple(FunctionTool(name) for name in tools))
        self.turns: list[Turn] = []

    def caller(self, text: str) -> Dialogue:
        self.turns.append(CallerTurn(text))
        return self

    def replayed(self, text: str) -> Dialogue:
        """What the caller said before a reconnect, brought as text."""
        self.turns.append(CallerTurn(text, is_replayed=True))
        return self

    def agent(self, text: str, *, is_verbatim: bool = False) -> Dialogue:
        self.turns.append(AgentTurn(text, is_verbatim))
        return self

    def tool(self, name: str, arguments: dict[str, Any] | None = None, **output: Any) -> Dialogue:
        """A function call with its output."""
        call_id = f"call_{len(self.turns)}"
        self.turns += [ToolRequest(call_id, name, arguments or {}), ToolResult(call_id, output)]
        return self

    def has_ordered(self, *lines: Line) -> Dialogue:
        """The order has these lines; the last one was added last and the agent has confirmed it."""
        added = [{"do": "add", "item": line["item"]} for line in lines]
        self.tool("change_order", {"changes": added}, ok=True, say="I added that.", order={"lines": list(lines)})
        return self.agent("I added that. Anything else?")

    def has_read_back(self) -> Dialogue:
        self.tool("read_back_order", ok=True, say="That is twenty euros. Is that right?")
        return self.agent("That is twenty euros. Is that right?")

    def next(self) -> list[Output]:
        return decide(self.brief, self.turns)

    def responds_to(self, text: str) -> list[Output]:
        """The outputs if the caller says this now; the dialogue stays as it is."""
        return decide(self.brief, [*self.turns, CallerTurn(text)])


def summary_of(outputs: list[Output]) -> str:
    """`add 2 large Margherita [olives]; remove 3`, `submit_order`, `look_up_items Tiramisu`, `says`, joined by `, `."""
    return ", ".join(_summary(output) for output in outputs)


def _summary(output: Output) -> str:
    if not isinstance(output, FunctionCall):
        return "says"
    if output.name == "change_order":
        return "; ".join(sorted(_change(change) for change in output.arguments["changes"]))
    return " ".join([output.name, *(str(value) for value in output.arguments.values())])


def _change(change: dict[str, Any]) -> str:
    quantity = change.get("quantity", 1 if change["do"] == "add" else "")
    words = [change["do"], str(change.get("line", "")), str(quantity), change.get("size", "")]
    words.append(change.get("item", ""))
    if "modifiers" in change:
        words.append(f"[{', '.join(sorted(change['modifiers']))}]")
    return " ".join(word for word in words if word)
