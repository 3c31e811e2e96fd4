"""The function calls of a response in the order in which the model made them: that of `output_index`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .openai_wire import Item


@dataclass(slots=True)
class _Output:
    unfinished: set[int] = field(default_factory=set)
    held: dict[int, list[Item]] = field(default_factory=dict)
    unmade: dict[int, Item] = field(default_factory=dict)  # function calls that are not whole (yet)

    def took(self, index: int, item: Item) -> None:
        """An item that will not change any more."""
        if item.type != "function_call":
            return
        self.unmade = {at: other for at, other in self.unmade.items() if at != index and other.id != (item.id or "")}
        if not is_whole_call(item):
            self.unmade[index] = item


def is_whole_call(item: Item) -> bool:
    """An interruption leaves calls whose arguments end in the middle: only completed ones may be run."""
    return item.type == "function_call" and item.status == "completed" and bool(item.call_id and item.name)


class CallOrder:
    """An item that is finished before one in front of it is held back until that one is finished, or the response."""

    def __init__(self) -> None:
        self._outputs: defaultdict[str, _Output] = defaultdict(_Output)

    def added(self, response_id: str, index: int, item: Item | None = None) -> None:
        output = self._outputs[response_id]
        output.unfinished.add(index)
        if item is not None and item.type == "function_call":
            output.unmade[index] = item

    def finished(self, response_id: str, index: int, item: Item) -> list[Item]:
        """The items that may be looked at now, in order."""
        output = self._outputs[response_id]
        output.unfinished.discard(index)
        output.took(index, item)
        output.held.setdefault(index, []).append(item)
        first_open = min(output.unfinished, default=None)
        ready = sorted(held for held in output.held if first_open is None or held < first_open)
        return [held for at in ready for held in output.held.pop(at)]

    def is_open(self, response_id: str) -> bool:
        """An item was begun and not finished."""
        return response_id in self._outputs and bool(self._outputs[response_id].unfinished)

    def lost(self, response_id: str, whole_output: Iterable[Item]) -> list[Item]:
        """The function calls that were begun in a response that is over, and are not whole. Before `ended`."""
        output = self._outputs[response_id]
        for index, item in enumerate(whole_output):
            output.took(index, item)
        return [output.unmade[index] for index in sorted(output.unmade)]

    def ended(self, response_id: str) -> list[Item]:
        """What was still held back."""
        output = self._outputs.pop(response_id, None) or _Output()
        return [item for at in sorted(output.held) for item in output.held[at]]
