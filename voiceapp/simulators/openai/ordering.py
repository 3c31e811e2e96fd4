"""From a sentence's phrases to changes of the order, with the order and what was spoken of last in mind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceapp.simulators.openai.memory import Change, Memory
from voiceapp.simulators.openai.reading import Phrase
from voiceapp.simulators.openai.vocabulary import Kind

ALTERING = (Kind.MAKE, Kind.MAKE_THE, Kind.CHANGE)


class _Sentence:
    """Reads the phrases once, from left to right."""

    def __init__(self, phrases: Sequence[Phrase], memory: Memory) -> None:
        self.phrases = [phrase for phrase in phrases if phrase.kind not in (Kind.FILLER, Kind.PLEASE, Kind.HELLO)]
        self.memory = memory
        self.changes: list[Change] = []
        self.mode = Kind.LEAD
        self.target: dict[str, Any] | None = None
        self.is_without = False
        self.count: int | None = None
        self.size = ""
        self.front: list[str] = []

    def read(self) -> list[Change]:
        for at, phrase in enumerate(self.phrases):
            self._take(phrase, self.phrases[at + 1].kind if at + 1 < len(self.phrases) else None, at)
        self._leftovers()
        return [change for change in self.changes if len(change) > 1 or change["do"] == "clear"]

    def _take(self, phrase: Phrase, following: Kind | None, at: int) -> None:
        kind = phrase.kind
        if kind in ALTERING or kind is Kind.REMOVE:
            self.mode, self.target, self.is_without = kind, None, False
            if kind is Kind.MAKE:
                self.target = self._update(self.memory.last_line())
        elif kind is Kind.LEAD:
            self.mode, self.is_without = kind, False
        elif kind is Kind.RESTART:
            self.changes.append({"do": "clear"})
        elif kind is Kind.SAME:
            self._more_of_the_same()
        elif kind in (Kind.WITH, Kind.AND):
            self.is_without = False
        elif kind is Kind.WITHOUT or (kind is Kind.NO and following is Kind.MODIFIER):
            self.is_without = True
        elif kind is Kind.THAT and following not in (Kind.ITEM, Kind.SIZE):
            self._that()
        elif kind is Kind.COUNT:
            self._count(phrase, following)
        elif kind is Kind.SIZE:
            self._size(phrase, following)
        elif kind is Kind.MODIFIER:
            self._modifier(phrase, following)
        elif kind is Kind.ITEM:
            self._item(phrase)
        elif kind is Kind.INSTEAD:
            self._instead()

    def _that(self) -> None:
        line = self.memory.last_line()
        if self.mode is Kind.REMOVE and line is not None:
            self.changes.append({"do": "remove", "line": line["line"]})
        elif self.mode is Kind.CHANGE and self.target is None:
            self.target = self._update(line)

    def _count(self, phrase: Phrase, following: Kind | None) -> None:
        names_a_line = following in (Kind.ITEM, Kind.SIZE, Kind.MODIFIER)
        if self.mode in ALTERING and self.target is not None and not names_a_line:
            if phrase.words not in ("a", "an", "the", "my", "some"):
                self.target["quantity"] = phrase.count
        else:
            self.count = phrase.count

    def _size(self, phrase: Phrase, following: Kind | None) -> None:
        if self.mode in ALTERING and self.target is not None and following is not Kind.ITEM:
            self.target["size"] = phrase.name
            if self.count is not None and self.count > 1:
                self.target["quantity"] = self.count
            self.count = None
        elif (
            following is not Kind.ITEM
            and self.changes
            and self.changes[-1]["do"] == "add"
            and not self.changes[-1].get("size")
        ):
            self.changes[-1]["size"] = phrase.name
        else:
            self.size = phrase.name

    def _modifier(self, phrase: Phrase, following: Kind | None) -> None:
        name = phrase.name
        if following is Kind.ITEM and not self.is_without and self.mode is not Kind.REMOVE:
            self.front.append(name)
            return
        if self.mode is Kind.REMOVE:
            self._leave_out(self._update(self.target or self._line_with(name)), name)
        elif self.changes and self.changes[-1]["do"] == "add":
            self.count = None  # the article of "and a fried egg"
            wanted = f"no {name}" if self.is_without and not name.startswith("no ") else name
            self.changes[-1].setdefault("modifiers", []).append(wanted)
        else:
            change = self.target if self.target is not None else self._update(self.memory.last_line())
            if self.is_without:
                self._leave_out(change, name)
            elif change is not None:
                change["modifiers"].append(name)

    def _item(self, phrase: Phrase) -> None:
        line = self.memory.line_of(phrase.name)
        if self.mode is Kind.REMOVE:
            if line is not None:
                self._remove(line)
            self.count = None
            return
        if self.mode in (Kind.CHANGE, Kind.MAKE_THE) and self.target is None and line is not None:
            self.target = self._update(line)
            self.count, self.size = None, ""
            return
        if self.mode in ALTERING and self.target is not None:
            self.target["item"] = phrase.name
            self._dress(self.target)
            return
        update = self.changes[-1] if self.changes else None
        if (
            update is not None
            and update["do"] == "update"
            and line is not None
            and self.count in (None, 1)
            and not self.size
        ):
            # "add olives to the margherita": the modifier was taken for the last line before its item was named
            moved = self._update(line)
            if moved is not None and moved is not update:
                added = [
                    name for name in update["modifiers"] if name not in (self._known(update).get("modifiers") or [])
                ]
                moved["modifiers"] += added
                self.changes.remove(update)
            return
        change: Change = {"do": "add", "item": phrase.name}
        self.changes.append(change)
        self._dress(change)

    def _dress(self, change: Change) -> None:
        """Give a line what was said in front of its item."""
        if self.count is not None and (change["do"] == "add" or self.count > 1):
            change["quantity"] = self.count
        if self.size:
            change["size"] = self.size
        if self.front:
            change.setdefault("modifiers", []).extend(self.front)
        self.count, self.size, self.front = None, "", []

    def _instead(self) -> None:
        if self.changes and self.changes[-1]["do"] == "add" and (line := self.memory.last_line()) is not None:
            self.changes[-1] = {**self.changes[-1], "do": "update", "line": line["line"]}

    def _more_of_the_same(self) -> None:
        line = self.memory.last_line()
        if (change := self._update(line)) is not None and line is not None:
            change["quantity"] = int(line.get("quantity", 1)) + 1

    def _remove(self, line: dict[str, Any]) -> None:
        quantity = int(line.get("quantity", 1))
        if self.count is not None and 0 < self.count < quantity and self.phrases and self._said_a_number():
            self.changes.append({"do": "update", "line": line["line"], "quantity": quantity - self.count})
        else:
            self.changes.append({"do": "remove", "line": line["line"]})

    def _said_a_number(self) -> bool:
        return any(
            phrase.kind is Kind.COUNT and phrase.words in ("one", "two", "three", "four", "five")
            for phrase in self.phrases
        )

    def _update(self, line: dict[str, Any] | None) -> Change | None:
        """The change of a line; a second one of the same line goes on with the first."""
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

    def _known(self, change: Change) -> dict[str, Any]:
        return next((line for line in self.memory.lines if line.get("line") == change.get("line")), {})

    def _line_with(self, modifier: str) -> dict[str, Any] | None:
        has = [line for line in self.memory.lines if modifier in (line.get("modifiers") or [])]
        return has[-1] if has else self.memory.last_line()

    def _leave_out(self, change: Change | None, name: str) -> None:
        if change is None:
            return
        if name in change["modifiers"]:
            change["modifiers"].remove(name)
        else:
            change["modifiers"].append(name if name.startswith("no ") else f"no {name}")

    def _leftovers(self) -> None:
        """A bare size or number speaks of the last line; nothing but the untouched modifiers is no change."""
        if (
            (self.size or self.count)
            and not self.changes
            and self.phrases
            and (line := self.memory.last_line()) is not None
        ):
            change = self._update(line)
            if change is not None and self.size:
                change["size"] = self.size
            elif change is not None and self.count and self._is_number():
                change["quantity"] = self.count
        for change in list(self.changes):
            if change["do"] == "update" and change.get("modifiers") == list(self._known(change).get("modifiers") or []):
                del change["modifiers"]
                if set(change) == {"do", "line"}:
                    self.changes.remove(change)

    def _is_number(self) -> bool:
        return any(
            phrase.kind is Kind.COUNT and phrase.words not in ("a", "an", "the", "my", "some")
            for phrase in self.phrases
        )


def changes_of(phrases: Sequence[Phrase], memory: Memory) -> list[Change]:
    """The changes a sentence asks for; none when it speaks of something else."""
    refused = memory.last_change
    changes = _Sentence(phrases, memory).read()
    if refused is not None and refused is memory.last and not refused.is_ok:
        return _completed(phrases, refused.arguments.get("changes") or [], changes)
    return changes


def _completed(phrases: Sequence[Phrase], refused: list[Change], changes: list[Change]) -> list[Change]:
    """An answer to what a refusal asked: the refused change with the size or the modifiers that were missing."""
    if any(change["do"] == "add" for change in changes) or not refused:
        return changes
    sizes = [phrase.name for phrase in phrases if phrase.kind is Kind.SIZE]
    modifiers = [phrase.name for phrase in phrases if phrase.kind is Kind.MODIFIER]
    counts = [phrase.count for phrase in phrases if phrase.kind is Kind.COUNT and phrase.count > 1]
    if not sizes and not modifiers and not counts:
        return changes
    last = dict(refused[-1])
    if sizes:
        last["size"] = sizes[-1]
    if modifiers:
        last["modifiers"] = [*(last.get("modifiers") or []), *modifiers]
    if counts:
        last["quantity"] = counts[-1]
    return [*refused[:-1], last]
