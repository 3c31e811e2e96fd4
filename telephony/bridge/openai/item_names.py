"""Ids that are unique in one call, for what a provider names.

A provider's own ids may repeat: some servers count from 1 in each response or in each session.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sessions.calls.short_ids import short_id

# With its number it fits into every column and frame that ids go to.
LONGEST_ID = 64


class OurIds:
    """One per call, for all its sessions."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def mint(self, theirs: str) -> str:
        """The provider's id if the call has not had it yet, otherwise the same with a number behind it."""
        base = short_id(theirs, longest=LONGEST_ID)
        ours, count = base, 1
        while ours in self._taken:
            count += 1
            ours = f"{base}~{count}"
        self._taken.add(ours)
        return ours


@dataclass(slots=True)
class _CallerItem:
    name: str
    is_committed: bool = False
    without_text: deque[str] = field(default_factory=deque)  # committed, not transcribed, of this id


@dataclass(slots=True)
class _AgentItem:
    name: str
    response_id: str


class ItemNames:
    """Of one session. An item is the agent's in one response, or the caller's in one turn. The same id in another
    response, turn or session is another item."""

    __slots__ = (
        "_agents",
        "_callers",
        "_ids",
        "_newest",
    )

    def __init__(self, ids: OurIds) -> None:
        self._ids = ids
        self._callers: dict[str, _CallerItem] = {}
        self._agents: dict[tuple[str, str], _AgentItem] = {}  # by response and item
        self._newest: dict[str, _AgentItem] = {}

    # The agent

    def response_began(self, response_id: str) -> None:
        """Response ids may repeat too: an earlier response with this id is over."""
        self._agents = {key: item for key, item in self._agents.items() if key[0] != response_id}
        self._newest = {key: item for key, item in self._newest.items() if item.response_id != response_id}

    def of_agent(self, response_id: str, item_id: str) -> str:
        """`response_id` is empty where the event names none; then an id of the caller's stays the caller's."""
        newest = self._newest.get(item_id)
        if not response_id:
            if newest is None and item_id in self._callers:
                return self._callers[item_id].name
            return (newest or self._new(response_id, item_id)).name
        item = self._agents.get((response_id, item_id))
        if item is None:
            item = newest if newest is not None and not newest.response_id else self._new(response_id, item_id)
            item.response_id = response_id
            self._agents[response_id, item_id] = item
        return item.name

    def _new(self, response_id: str, item_id: str) -> _AgentItem:
        item = self._newest[item_id] = _AgentItem(self._ids.mint(item_id), response_id)
        return item

    # The caller

    def speech_began(self, item_id: str) -> str:
        item = self._callers.get(item_id)
        if item is None:
            item = self._callers[item_id] = _CallerItem(self._ids.mint(item_id))
        elif item.is_committed:
            item.name, item.is_committed = self._ids.mint(item_id), False
        return item.name

    def committed(self, item_id: str) -> str:
        item = self._caller(item_id)
        if not item.is_committed:
            item.is_committed = True
            item.without_text.append(item.name)
        return item.name

    def of_caller(self, item_id: str) -> str:
        return self._caller(item_id).name

    def transcribed(self, item_id: str) -> str:
        """Transcripts come late and in order: the oldest turn of this id that has none, else the newest."""
        item = self._caller(item_id)
        return item.without_text.popleft() if item.without_text else item.name

    def _caller(self, item_id: str) -> _CallerItem:
        item = self._callers.get(item_id)
        if item is None:
            agent = self._newest.get(item_id)
            name = self._ids.mint(item_id) if agent is None or agent.response_id else agent.name
            item = self._callers[item_id] = _CallerItem(name)
        return item
