"""What the caller is owed when the link is lost under him."""

from __future__ import annotations


class AnswerOwed:
    """`turn` is the item of the caller's last words as long as they are unanswered."""

    def __init__(self) -> None:
        self.is_owed = False
        self._turn = ""
        self._lost_his_words = False

    def turn_committed(self, item_id: str) -> None:
        self._turn = item_id

    def answered(self) -> None:
        self._turn = ""

    def link_lost(self, *, was_due: bool, was_speaking: bool) -> None:
        self.is_owed |= was_due or was_speaking
        self._lost_his_words |= was_speaking

    def settle(self) -> str | None:
        """A new session is there. None: nothing is owed. Otherwise the item of words that only the old one heard:
        empty when there are none."""
        turn = "(spoken into the gap)" if self._lost_his_words else self._turn
        is_owed, self.is_owed, self._lost_his_words = self.is_owed, False, False
        return turn if is_owed else None
