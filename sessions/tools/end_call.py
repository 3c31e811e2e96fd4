"""Tool: hang up after the farewell."""

from __future__ import annotations

from .tool import Answer, Tool, ToolRequest, no_parameters


def run(request: ToolRequest) -> Answer:
    return Answer("Thank you for calling. Goodbye.", ends_call=True)


TOOL = Tool(
    name="end_call",
    description="Hang up, once the caller has said goodbye or wants nothing more. Say a short goodbye in the same "
    "response. The call ends when the caller has heard it.",
    parameters=no_parameters(),
    only_reads=False,
    run=run,
)
