"""Turns the phrases of a sentence into changes of the order, from the order and the line mentioned last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceapp.simulators.model.agent.call_state import CallState, Change
from voiceapp.simulators.model.agent.phrases import SpokenPhrase
from voiceapp.simulators.model.agent.vocabulary import Meaning

_ARTICLES = {"a", "an", "the", "my", "some"}
_SMALL_NUMBERS = {"one", "two", "three", "four", "five"}
CHANGING = (Meaning.MAKE, Meaning.MAKE_THE, Meaning.CHANGE)


class _SentenceReader:
    """Reads the phrases once, from left to right."""

    def __init__(self, phrases: Sequence[SpokenPhrase], state: CallState) -> None:
        self.phrases = [
            phrase for phrase in phrases if phrase.kind not in (Meaning.FILLER, Meaning.PLEASE, Meaning.HELLO)
        ]
        self.state = state
        self.changes: list[Change] = []
        self.mode = Meaning.LEAD
        self.target: dict[str, Any] | None = None
        self.is_without = False
        self.count: int | None = None
        self.size = ""
        self.front: list[str] = []

    def read(self) -> list[Change]:
        for at, phrase in enumerate(self.phrases):
            self._take(phrase, self.phrases[at + 1].kind if at + 1 < len(self.phrases) else None, at)
        self._finish()
        return [change for change in self.changes if len(change) > 1 or change["do"] == "clear"]

    def _take(self, phrase: SpokenPhrase, following: Meaning | None, at: int) -> None:
        kind = phrase.kind
        if kind in CHANGING or kind is Meaning.REMOVE:
            self.mode, self.target, self.is_without = kind, None, False
            if kind is Meaning.MAKE:
                self.target = self._update(self.state.last_line())
        elif kind is Meaning.LEAD:
            self.mode, self.is_without = kind, False
        elif kind is Meaning.RESTART:
            self.changes.append({"do": "clear"})
        elif kind is Meaning.SAME:
            self._add_one_more()
        elif kind in (Meaning.WITH, Meaning.AND):
            self.is_without = False
        elif kind is Meaning.WITHOUT or (kind is Meaning.NO and following is Meaning.MODIFIER):
            self.is_without = True
        elif kind is Meaning.THAT and following not in (Meaning.ITEM, Meaning.SIZE):
            self._refer_to_last_line()
        elif kind is Meaning.COUNT:
            self._count(phrase, following)
        elif kind is Meaning.SIZE:
            self._size(phrase, following)
        elif kind is Meaning.MODIFIER:
            self._modifier(phrase, following)
        elif kind is Meaning.ITEM:
            self._item(phrase)
        elif kind is Meaning.INSTEAD:
            self._instead()

    def _refer_to_last_line(self) -> None:
        line = self.state.last_line()
        if self.mode is Meaning.REMOVE and line is not None:
            self.changes.append({"do": "remove", "line": line["line"]})
        elif self.mode is Meaning.CHANGE and self.target is None:
            self.target = self._update(line)

    def _count(self, phrase: SpokenPhrase, following: Meaning | None) -> None:
        names_a_line = following in (Meaning.ITEM, Meaning.SIZE, Meaning.MODIFIER)
        if self.mode in CHANGING and self.target is not None and not names_a_line:
            if phrase.words not in _ARTICLES:
                self.target["quantity"] = phrase.count
        else:
            self.count = phrase.count

    def _size(self, phrase: SpokenPhrase, following: Meaning | None) -> None:
        if self.mode in CHANGING and self.target is not None and following is not Meaning.ITEM:
            self.target["size"] = phrase.name
            if self.count is not None and self.count > 1:
                self.target["quantity"] = self.count
            self.count = None
        elif (
            following is not Meaning.ITEM
            and self.changes
            and self.changes[-1]["do"] == "add"
            and not self.changes[-1].get("size")
        ):
            self.changes[-1]["size"] = phrase.name
        else:
            self.size = phrase.name

    def _modifier(self, phrase: SpokenPhrase, following: Meaning | None) -> None:
        name = phrase.name
        if following is Meaning.ITEM and not self.is_without and self.mode is not Meaning.REMOVE:
            self.front.append(name)
            return
        if self.mode is Meaning.REMOVE:
            self._remove_modifier(self._update(self.target or self.state.line_with(name)), name)
        elif self.changes and self.changes[-1]["do"] == "add":
            self.count = None  # the article of "and a fried egg"
            wanted = f"no {name}" if self.is_without and not name.startswith("no ") else name
            self.changes[-1].setdefault("modifiers", []).append(wanted)
        else:
            change = self.target if self.target is not None else self._update(self.state.last_line())
            if self.is_without:
                self._remove_modifier(change, name)
            elif change is not None:
                change["modifiers"].append(name)

    def _item(self, phrase: SpokenPhrase) -> None:
        line = self.state.line_of(phrase.name)
        if self.mode is Meaning.REMOVE:
            if line is not None:
                self._remove(line)
            self.count = None
            return
        if self.mode in (Meaning.CHANGE, Meaning.MAKE_THE) and self.target is None and line is not None:
            self.target = self._update(line)
            self.count, self.size = None, ""
            return
        if self.mode in CHANGING and self.target is not None:
            self.target["item"] = phrase.name
            self._apply_prefix(self.target)
            return
        update = self.changes[-1] if self.changes else None
        if (
            update is not None
            and update["do"] == "update"
            and line is not None
            and self.count in (None, 1)
            and not self.size
        ):
            # "add olives to the margherita": the modifier was applied to the last line before its item was named
            moved = self._update(line)
            if moved is not None and moved is not update:
                added = [
                    name
                    for name in update["modifiers"]
                    if name not in (self.state.line_of_change(update).get("modifiers") or [])
                ]
                moved["modifiers"] += added
                self.changes.remove(update)
            return
        change: Change = {"do": "add", "item": phrase.name}
        self.changes.append(change)
        self._apply_prefix(change)

    def _apply_prefix(self, change: Change) -> None:
        """Apply the count, the size and the modifiers before an item to its line."""
        if self.count is not None and (change["do"] == "add" or self.count > 1):
            change["quantity"] = self.count
        if self.size:
            change["size"] = self.size
        if self.front:
            change.setdefault("modifiers", []).extend(self.front)
        self.count, self.size, self.front = None, "", []

    def _instead(self) -> None:
        if self.changes and self.changes[-1]["do"] == "add" and (line := self.state.last_line()) is not None:
            self.changes[-1] = {**self.changes[-1], "do": "update", "line": line["line"]}

    def _add_one_more(self) -> None:
        line = self.state.last_line()
        if (change := self._update(line)) is not None and line is not None:
            change["quantity"] = int(line.get("quantity", 1)) + 1

    def _remove(self, line: dict[str, Any]) -> None:
        quantity = int(line.get("quantity", 1))
        if self.count is not None and 0 < self.count < quantity and self._counts & _SMALL_NUMBERS:
            self.changes.append({"do": "update", "line": line["line"], "quantity": quantity - self.count})
        else:
            self.changes.append({"do": "remove", "line": line["line"]})

    @property
    def _counts(self) -> set[str]:
        """The words of the sentence that count."""
        return {phrase.words for phrase in self.phrases if phrase.kind is Meaning.COUNT}

    def _update(self, line: dict[str, Any] | None) -> Change | None:
        """The change of a line; there is one for each line."""
        if line is None or "line" not in line:
            return None
        if line.get("do") == "update":
            return line
        for change in self.changes:
            if change["do"] == "update" and change.get("line") == line["line"]:
                return change
        change = {"do": "update", "line": line["line"], "modifiers": list(line.get("modifiers") or [])}
        self.changes.append(change)
        return change

    def _remove_modifier(self, change: Change | None, name: str) -> None:
        if change is None:
            return
        if name in change["modifiers"]:
            change["modifiers"].remove(name)
        else:
            change["modifiers"].append(name if name.startswith("no ") else f"no {name}")

    def _finish(self) -> None:
        """A size or a number alone changes the last line; a change without effect is dropped."""
        line = self.state.last_line()
        if line is not None and (self.size or self.count) and self.phrases and not self.changes:
            change = self._update(line)
            if change is not None and self.size:
                change["size"] = self.size
            elif change is not None and self.count and self._counts - _ARTICLES:
                change["quantity"] = self.count
        for change in list(self.changes):
            if change["do"] == "update" and change.get("modifiers") == list(
                self.state.line_of_change(change).get("modifiers") or []
            ):
                del change["modifiers"]
                if set(change) == {"do", "line"}:
                    self.changes.remove(change)


def changes_of(phrases: Sequence[SpokenPhrase], state: CallState) -> list[Change]:
    """The changes that a sentence asks for; empty if it is about something else."""
    rejected = state.last_change
    changes = _SentenceReader(phrases, state).read()
    if rejected is not None and rejected is state.last and not rejected.is_ok:
        return _completed(phrases, rejected.arguments.get("changes") or [], changes)
    return changes


def _completed(phrases: Sequence[SpokenPhrase], rejected: list[Change], changes: list[Change]) -> list[Change]:
    """A reply to the question of a rejected change: that change with the missing size or modifiers."""
    if any(change["do"] == "add" for change in changes) or not rejected:
        return changes
    sizes = [phrase.name for phrase in phrases if phrase.kind is Meaning.SIZE]
    modifiers = [phrase.name for phrase in phrases if phrase.kind is Meaning.MODIFIER]
    counts = [phrase.count for phrase in phrases if phrase.kind is Meaning.COUNT and phrase.count > 1]
    if not sizes and not modifiers and not counts:
        return changes
    last = dict(rejected[-1])
    if sizes:
        last["size"] = sizes[-1]
    if modifiers:
        last["modifiers"] = [*(last.get("modifiers") or []), *modifiers]
    if counts:
        last["quantity"] = counts[-1]
    return [*rejected[:-1], last]
