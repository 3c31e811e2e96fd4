"""The tool calls of one response are answered together: one response follows when the last of them has its output."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Batch:
    waiting: set[str] = field(default_factory=set)
    is_complete: bool = False  # the response ended: no more calls will join
    needs_answer: bool = False


class ToolBatches:
    """Knows every call of one session by its id, so that a repeated one is run once."""

    def __init__(self) -> None:
        self._batch_of: dict[str, str] = {}
        self._batches: dict[str, _Batch] = {}

    def requested(self, response_id: str, call_id: str) -> bool:
        """Returns False when this call is known already."""
        if call_id in self._batch_of:
            return False
        self._batch_of[call_id] = response_id
        self._batches.setdefault(response_id, _Batch()).waiting.add(call_id)
        return True

    def answered(self, call_id: str, *, needs_answer: bool) -> bool:
        """Returns whether the agent should speak now."""
        response_id = self._batch_of[call_id]
        batch = self._batches[response_id]
        batch.waiting.discard(call_id)
        batch.needs_answer |= needs_answer
        return self._settled(response_id)

    def response_ended(self, response_id: str, *, had_audio: bool) -> bool:
        """Returns whether the agent should speak now. Without audio even a farewell still has to be spoken."""
        batch = self._batches.get(response_id)
        if batch is None:
            return False
        batch.is_complete = True
        batch.needs_answer |= not had_audio
        return self._settled(response_id)

    def _settled(self, response_id: str) -> bool:
        batch = self._batches[response_id]
        if batch.waiting or not batch.is_complete:
            return False
        del self._batches[response_id]
        return batch.needs_answer
