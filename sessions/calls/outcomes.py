"""What a tool decided, and what then happens to the call. Plain values: no Django."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to a configured person, after the farewell was heard."""

    target_id: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up, after the farewell was heard and if the caller does not speak into it."""


class RecordingEnd(enum.StrEnum):
    """What becomes of the recording of a call whose caller does not want it. KEPT: by a legal hold, up to here."""

    DELETED = "deleted"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A tool's answer: `output` is the JSON string given to the model, `then` what the bridge does next.

    `recording`: the call is not recorded any more.
    """

    output: str
    then: Transfer | EndCall | None = None
    recording: RecordingEnd | None = None


def refusal(say: str) -> ToolResult:
    """The output of a tool that did not do what the model requested."""
    return ToolResult(json.dumps({"ok": False, "say": say}, ensure_ascii=False, separators=(",", ":")))


# What the bridge answers in the place of a tool.
NOT_FINISHED = refusal(
    "That takes too long, and I cannot tell whether it was done. Let me read the order back before we go on."
)
NOT_FOUND_OUT = refusal("I could not look that up just now.")
NOT_RUN = refusal("That was not done, because something before it did not finish. Let me see where we are.")
