"""The responses of one session and the items they speak."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .agent_item import AgentItem
from .response_sequencer import ANSWER, Request

# Ended responses that are remembered, so that audio of theirs still under way is not taken for a new one's.
MOST_REMEMBERED = 64


@dataclass(slots=True)
class OpenResponse:
    request: Request
    items: list[AgentItem] = field(default_factory=list)
    is_dropped: bool = False


class Responses:
    """`name_of(response_id, item_id)` tells what an item's line of the transcript is called."""

    def __init__(self, session: int, name_of: Callable[[str, str], str]) -> None:
        self._session = session
        self._name_of = name_of
        self._open: dict[str, OpenResponse] = {}
        self._items: dict[tuple[str, int], AgentItem] = {}
        self._ended: deque[str] = deque(maxlen=MOST_REMEMBERED)

    def began(self, response_id: str, request: Request) -> None:
        if response_id in self._ended:  # the id of one that is over, used again
            self._ended.remove(response_id)
        self._open.setdefault(response_id, OpenResponse(request)).request = request

    def is_over(self, response_id: str) -> bool:
        return response_id in self._ended

    def item(self, response_id: str, item_id: str, content_index: int) -> AgentItem | None:
        """The item this audio belongs to; None when its response is over or was dropped."""
        item = self._items.get((item_id, content_index))
        if item is None or (response_id and item.response_id != response_id):
            response = self._open.get(response_id)
            if response is None:
                if response_id in self._ended:
                    return None
                response = self._open[response_id] = OpenResponse(ANSWER)
            line_id = self._name_of(response_id, item_id)
            item = AgentItem(item_id, content_index, self._session, response_id=response_id, line_id=line_id)
            item.is_dropped = response.is_dropped
            response.items.append(item)
            self._items[item_id, content_index] = item
        return None if item.is_dropped else item

    def find(self, item_id: str, content_index: int) -> AgentItem | None:
        item = self._items.get((item_id, content_index))
        return None if item is None or item.is_dropped else item

    def is_spoken(self, response_id: str) -> bool:
        """Something of it can be heard, and each of its items has come to its end."""
        items = self._open[response_id].items if response_id in self._open else []
        return any(item.has_begun for item in items) and all(item.is_complete for item in items)

    def drop(self) -> None:
        """Whatever is still to come of the open responses is not wanted any more."""
        for response in self._open.values():
            response.is_dropped = True
            for item in response.items:
                item.is_dropped = True

    def ended(self, response_id: str) -> OpenResponse | None:
        if response_id not in self._ended:
            self._ended.append(response_id)
        response = self._open.pop(response_id, None)
        for item in response.items if response else ():
            if self._items.get((item.item_id, item.content_index)) is item:
                del self._items[item.item_id, item.content_index]
        return response
