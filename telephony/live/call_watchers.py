"""Who wants to know at once when something changes in a call: the sockets of its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID


class CallWatchers:
    """Of this process. A watcher is called on the event loop, and looks for itself what has changed."""

    def __init__(self) -> None:
        self._watchers: defaultdict[UUID, list[Callable[[], None]]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._watchers)

    def count(self, call_id: UUID) -> int:
        return len(self._watchers.get(call_id, ()))

    @contextmanager
    def watching(self, call_id: UUID, on_change: Callable[[], None]) -> Iterator[None]:
        self._watchers[call_id].append(on_change)
        try:
            yield
        finally:
            self._watchers[call_id].remove(on_change)
            if not self._watchers[call_id]:
                del self._watchers[call_id]

    def changed(self, call_id: UUID) -> None:
        for on_change in list(self._watchers.get(call_id, ())):
            on_change()


call_watchers = CallWatchers()
