"""The ledger of a call whose provider plays the agent's audio itself, and reports when a response begins and ends to.

It stands where Playout does. Nothing passes here, so positions count items, and how long an item lasts is estimated.
"""

from __future__ import annotations

from .agent_item import AgentItem, Cut
from .stream_clock import StreamClock
from .ulaw import BYTES_PER_MS

# While something is played, an estimate that is used up says no less than this.
LEAST_MS = 100
# A report that does not come is waited for so long after the estimated end of what should have been played.
REPORT_WITHIN_MS = 15_000


class RemotePlayout:
    """`echoed` gets the marks that `begun` and `ended` make."""

    def __init__(self, clock: StreamClock) -> None:
        self._clock = clock
        self._items: list[AgentItem] = []  # not played to their end, in playing order
        self._playing = ""  # the response
        self._since_ms = 0
        self._added_ms = 0
        self._added = 0
        self._first = -1  # the item with which the response began
        self._confirmed = 0

    @property
    def is_idle(self) -> bool:
        return not self._items

    @property
    def confirmed_bytes(self) -> int:
        return self._confirmed

    @property
    def received_bytes(self) -> int:
        return self._added

    @property
    def outstanding_ms(self) -> int:
        if not self._items:
            return 0
        expected_ms = sum(item.expected_ms for item in self._items) - self._played_ms()
        return max(LEAST_MS, expected_ms)

    def played_at_ms(self, position: int) -> int | None:
        """Of the item with which a response began to be heard; of the others the provider says nothing."""
        return self._since_ms if position == self._first else None

    def add(self, item: AgentItem, payload: str) -> None:
        """There is audio of this item; where it is and how much, the provider knows."""
        if item not in self._items:
            self._items.append(item)
            self._added += 1
            self._added_ms = self._clock.now_ms

    def complete(self, item: AgentItem) -> None:
        item.is_complete = True

    def finish(self) -> None:
        """The link is lost: what was being played may go on, but nobody will say when it ends."""
        self._forget(self._items)

    def echoed(self, name: str) -> bool:
        """A response begins to be heard, or is over. Returns whether that is news."""
        kind, _, response_id = name.partition(" ")
        if kind == "begun":
            self._playing, self._since_ms = response_id, self._clock.now_ms
            of_response = [at for at, item in enumerate(self._items) if item.response_id == response_id]
            if of_response:
                self._first = self._added - len(self._items) + of_response[0]
                self._confirmed = self._added
            return bool(of_response)
        items = [item for item in self._items if item.response_id == response_id]
        if response_id == self._playing:
            self._share(items)
            self._playing = ""
        self._forget(items)
        return bool(items)

    def tick(self) -> bool:
        """Returns whether a report that does not come was given up: its audio counts as heard."""
        if not self._items:
            return False
        since_ms = max(self._added_ms, self._since_ms if self._playing else 0)
        length_ms = sum(item.expected_ms for item in self._items)
        if self._clock.now_ms < since_ms + length_ms + REPORT_WITHIN_MS:
            return False
        self._forget(self._items)
        self._playing = ""
        return True

    def lose(self, ms: int) -> None:
        """The last so many ms of what is played did not arrive."""
        self._since_ms = min(self._clock.now_ms, self._since_ms + max(0, ms))

    def play_whole(self, item: AgentItem, audio: bytes) -> None:
        """Nobody here can play audio of ours: such a call is not given a kept greeting."""

    def interject(self, payload: str) -> bool:
        """The same for a tone."""
        return False

    def interrupt(self) -> list[Cut]:
        """What was heard of each item, in playing order. The provider stops its audio itself."""
        return self.abandon()

    def abandon(self) -> list[Cut]:
        items = list(self._items)
        self._share([item for item in items if item.response_id == self._playing])
        self._forget(items)
        self._playing = ""
        return [Cut(item, item.heard_bytes // BYTES_PER_MS, item.expected_ms, is_unfinished=True) for item in items]

    def _played_ms(self) -> int:
        return self._clock.now_ms - self._since_ms if self._playing else 0

    def _share(self, items: list[AgentItem]) -> None:
        """Give what was heard of a response to its items, in order."""
        left_ms = self._played_ms()
        for item in items:
            heard_ms = left_ms if item is items[-1] else min(left_ms, item.expected_ms)
            item.heard_bytes = heard_ms * BYTES_PER_MS
            left_ms -= heard_ms

    def _forget(self, items: list[AgentItem]) -> None:
        self._items = [item for item in self._items if item not in items]
        self._confirmed = self._added


def begun(response_id: str) -> str:
    """The mark: the first audio of this response is heard."""
    return f"begun {response_id}"


def ended(response_id: str) -> str:
    """The mark: no more of this response is heard."""
    return f"ended {response_id}"
