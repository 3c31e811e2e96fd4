"""Both sides of the call as it was spoken, in order, the agent's text cut to what was heard; and its replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sessions.calls.facts import LineSpoken, Speaker

from .agent_item import Cut


@dataclass(frozen=True, slots=True)
class PastLine:
    line_id: str
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class PastTool:
    """A tool call; `output` is None while it waits or runs."""

    request_id: str
    name: str
    arguments: str
    output: str | None = None


Past = PastLine | PastTool


@dataclass(slots=True)
class _Line:
    item_id: str
    speaker: Speaker
    spoken_at_ms: int
    turn: int
    number: int
    text: str = ""
    guess: str = ""  # of the caller's, until the text is whole
    is_cut: bool = False
    is_recorded: bool = False
    is_heard: bool = True  # an agent's line without audio is not: he has said nothing
    late_heard_ms: int | None = None  # it was cut before its text was known


@dataclass(slots=True)
class _Tool:
    tool: PastTool
    spoken_at_ms: int
    number: int


class Transcript:
    """`record` receives each line once its text is known, and again when that text changes; `show` receives it as it
    grows, where somebody reads along.

    Items and tools go by ids of ours, which are unique in the call (item_names.py and tool_calls.py of the dialect).
    """

    __slots__ = (
        "_count",
        "_earlier",
        "_lines",
        "_record",
        "_tools",
        "show",
    )

    def __init__(self, record: Callable[[LineSpoken], None], *, past: Sequence[Past] = ()) -> None:
        self._record = record
        self.show: Callable[[LineSpoken], None] | None = None
        self._earlier = list(past)  # of another stream of this call
        self._lines: dict[str, _Line] = {}
        self._tools: dict[str, _Tool] = {}
        self._count = 0

    def caller_began(self, item_id: str, *, at_ms: int, turn: int) -> None:
        self._line(item_id, Speaker.CALLER, at_ms=at_ms, turn=turn)

    def caller_heard(self, item_id: str, text: str, *, is_all: bool) -> None:
        """More of what the caller says (or all so far), which is kept only once it is whole."""
        line = self._lines.get(item_id)
        if line is not None and line.speaker is Speaker.CALLER and not line.text:
            line.guess = text if is_all else line.guess + text
            self._show(line, line.guess)

    def caller_speaks(self, item_id: str) -> None:
        """Nothing of it is understood yet."""
        line = self._lines[item_id]
        if line.speaker is Speaker.CALLER and not line.text:
            self._show(line, line.guess)

    def caller_said(self, item_id: str, text: str, *, at_ms: int, turn: int) -> None:
        """`at_ms` and `turn` are used only when no speech start was reported."""
        self.caller_began(item_id, at_ms=at_ms, turn=turn)
        line = self._lines[item_id]
        if line.speaker is Speaker.CALLER:
            line.text = text.strip()
            self._report(line)

    def agent_began(self, item_id: str, *, at_ms: int, turn: int) -> None:
        line = self._agent_line(item_id)
        line.spoken_at_ms, line.turn, line.is_heard = at_ms, turn, True

    def agent_was_heard(self, item_id: str, *, at_ms: int) -> None:
        """Its begin was an estimate: this is when the caller heard it."""
        line = self._agent_line(item_id)
        line.spoken_at_ms = at_ms
        if line.is_recorded:
            self._report(line)

    def agent_said(self, item_id: str, text: str, *, is_whole: bool) -> None:
        """The text comes beside the audio, usually ahead of it."""
        line = self._agent_line(item_id)
        if line.late_heard_ms is not None and is_whole and text.strip():
            self._cut_late(line, text)
        if line.is_cut or line.speaker is not Speaker.AGENT:
            return
        line.text = text.strip() if is_whole else line.text + text
        if is_whole:
            self._report(line)
        else:
            self._show(line, line.text)

    def cut(self, item_id: str, *, heard_ms: int, received_ms: int) -> str:
        """The caller heard only this much of the item. Returns its text."""
        line = self._agent_line(item_id)
        line.text = heard_text(line.text, heard_ms=heard_ms, received_ms=received_ms)
        line.is_cut = True
        if line.text or line.is_recorded:
            self._report(line)
        return line.text

    def cut_to(self, cut: Cut) -> str:
        """The caller heard only what the cut says. Returns its text."""
        line = self._agent_line(cut.item.line_id)
        if not cut.item.is_streamed:
            return self.cut(line.item_id, heard_ms=cut.heard_ms, received_ms=cut.received_ms)
        if not line.text:
            line.late_heard_ms = cut.heard_ms
        return self.cut(line.item_id, heard_ms=cut.heard_ms, received_ms=max(cut.received_ms, spoken_ms(line.text)))

    def _cut_late(self, line: _Line, text: str) -> None:
        heard_ms, line.late_heard_ms = line.late_heard_ms or 0, None
        line.text = heard_text(text, heard_ms=heard_ms, received_ms=spoken_ms(text))
        if line.text:
            self._report(line)

    def cut_to_heard(self) -> None:
        """The response is over: text without audio was not spoken."""
        for line in self._lines.values():
            if line.text and not line.is_heard:
                self.cut(line.item_id, heard_ms=0, received_ms=0)

    def cut_all(self, cuts: list[Cut]) -> None:
        for cut in cuts:
            if cut.is_missing_something and not cut.item.is_local:
                self.cut_to(cut)

    def tool_requested(self, request_id: str, name: str, arguments: str, *, at_ms: int) -> None:
        self._tools[request_id] = _Tool(PastTool(request_id, name, arguments), at_ms, self._next_number())

    def tool_answered(self, request_id: str, output: str) -> None:
        entry = self._tools[request_id]
        entry.tool = PastTool(request_id, entry.tool.name, entry.tool.arguments, output)

    @property
    def has_agent_spoken(self) -> bool:
        return any(line.speaker is Speaker.AGENT and line.text and line.is_heard for line in self._lines.values())

    def is_known(self, item_id: str) -> bool:
        line = self._lines.get(item_id)
        return line is not None and bool(line.text)

    def past(self) -> list[Past]:
        """What a new session should know, oldest first."""
        said: list[tuple[int, int, Past]] = [
            (line.spoken_at_ms, line.number, PastLine(line.item_id, line.speaker, line.text))
            for line in self._lines.values()
            if line.text and line.is_heard
        ]
        used: list[tuple[int, int, Past]] = [
            (entry.spoken_at_ms, entry.number, entry.tool) for entry in self._tools.values()
        ]
        return self._earlier + [past for *_, past in sorted(said + used, key=lambda entry: entry[:2])]

    def _agent_line(self, item_id: str) -> _Line:
        return self._line(item_id, Speaker.AGENT, at_ms=0, turn=0)

    def _line(self, item_id: str, speaker: Speaker, *, at_ms: int, turn: int) -> _Line:
        line = self._lines.get(item_id)
        if line is None:
            line = self._lines[item_id] = _Line(item_id, speaker, at_ms, turn, self._next_number())
            line.is_heard = speaker is Speaker.CALLER
        return line

    def _next_number(self) -> int:
        self._count += 1
        return self._count

    def _report(self, line: _Line) -> None:
        line.is_recorded = True
        self._record(LineSpoken(line.item_id, line.speaker, line.text, line.spoken_at_ms, line.turn, line.is_cut))

    def _show(self, line: _Line, text: str) -> None:
        if self.show is not None:
            self.show(LineSpoken(line.item_id, line.speaker, text.strip(), line.spoken_at_ms, line.turn, line.is_cut))


def spoken_ms(text: str) -> int:
    """How long it takes to say: about 16 characters a second."""
    return len(text.strip()) * 62


def heard_text(text: str, *, heard_ms: int, received_ms: int) -> str:
    """As much of the text as was heard of its audio, in proportion, back to the end of a whole word."""
    if received_ms <= 0 or heard_ms <= 0:
        return ""
    if heard_ms >= received_ms:
        return text.strip()
    length = len(text) * heard_ms // received_ms
    if length < len(text) and not text[length].isspace():
        length = max(text.rfind(" ", 0, length), 0)
    return text[:length].strip()
