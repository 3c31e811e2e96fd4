"""Tool: hang up after the farewell."""

from __future__ import annotations

from .tool import Answer, NoArguments, Tool, ToolRequest


def run(request: ToolRequest[NoArguments]) -> Answer:
    return Answer("Thank you for calling. Goodbye.", ends_call=True)


TOOL = Tool(
    name="end_call",
    description="Hang up, once the caller has said goodbye or wants nothing more. Say a short goodbye in the same "
    "response. The call ends when the caller has heard it.",
    arguments=NoArguments,
    only_reads=False,
    run=run,
)
