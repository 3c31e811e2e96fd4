"""Values that each process makes for itself: connections and locks of a parent are not used in a forked child."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class per_process(Generic[P, T]):
    """Like functools.cache: `make` runs once per process and positional arguments, in one thread at a time.

    A child keeps what it inherits without using it: closing it would close its parent's connections.
    """

    def __init__(self, make: Callable[P, T]) -> None:
        self._make = make
        self._inherited: list[dict[tuple[Hashable, ...], T]] = []
        self._after_fork()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        # Another thread of the parent may have held the lock.
        self.lock = threading.Lock()
        if values := getattr(self, "values", None):
            self._inherited.append(values)
        self.values: dict[tuple[Hashable, ...], T] = {}

    def __call__(self, *key: P.args, **nothing: P.kwargs) -> T:
        with self.lock:
            if key not in self.values:
                self.values[key] = self._make(*key, **nothing)
            return self.values[key]
