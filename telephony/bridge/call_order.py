"""The function calls of a response in the order in which the model made them: that of `output_index`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from .openai_wire import Item


@dataclass(slots=True)
class _Output:
    unfinished: set[int] = field(default_factory=set)
    held: dict[int, list[Item]] = field(default_factory=dict)


class CallOrder:
    """An item that is finished before one in front of it is held back until that one is finished, or the response."""

    def __init__(self) -> None:
        self._outputs: defaultdict[str, _Output] = defaultdict(_Output)

    def added(self, response_id: str, index: int) -> None:
        self._outputs[response_id].unfinished.add(index)

    def finished(self, response_id: str, index: int, item: Item) -> list[Item]:
        """The items that may be looked at now, in order."""
        output = self._outputs[response_id]
        output.unfinished.discard(index)
        output.held.setdefault(index, []).append(item)
        first_open = min(output.unfinished, default=None)
        ready = sorted(held for held in output.held if first_open is None or held < first_open)
        return [held for at in ready for held in output.held.pop(at)]

    def ended(self, response_id: str) -> list[Item]:
        """What was still held back."""
        output = self._outputs.pop(response_id, None) or _Output()
        return [item for at in sorted(output.held) for item in output.held[at]]
