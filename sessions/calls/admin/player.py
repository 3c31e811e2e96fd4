"""What the player of a call's page shows: a recording with its waveform, and marks for what happened in the call.

All times that people see are on the clock of the call, as the transcript's are; a recording may begin later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.staticfiles import finders
from django.db.models import F
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sessions.calls.models import Call, Turn

from .display import offset_text
from .waveform import BINS, Lane, Silence, height_of, lanes_of, silences_of

# make wavesurfer puts it there; without it the waveform cannot be zoomed.
LIBRARY = "vendor/wavesurfer.esm.js"
LONG_SILENCE_MS = 2000
MOST_MARKS = 400
KINDS = (("interruption", _("Interruptions")), ("silence", _("Silences over 2 s")), ("tool", _("Tool calls")))


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a time of the call; `x` and `width` in thousandths of the waveform."""

    kind: str
    at_ms: int
    text: str
    x: int
    width: int = 0

    @property
    def at(self) -> str:
        return offset_text(self.at_ms)

    @property
    def t(self) -> str:
        return seconds(self.at_ms)


class Wanted(NamedTuple):
    """What the address of the page names: a recording, and the ms of the call from which it plays."""

    recording: int | None = None
    from_ms: int | None = None


NOTHING_WANTED = Wanted()


@dataclass(frozen=True, slots=True)
class Player:
    """`begins_ms`: of the file's first sample, on the call's clock; `ends_ms` is None while nobody knows the length."""

    recording: Any
    listen_url: str
    begins_ms: int
    ends_ms: int | None
    from_ms: int | None
    lanes: Sequence[Lane]
    marks: Sequence[Mark]
    others: Sequence[Any]
    library: str

    @property
    def begins(self) -> str:
        return seconds(self.begins_ms)

    @property
    def ends(self) -> str:
        return "" if self.ends_ms is None else seconds(self.ends_ms)

    @property
    def starts_from(self) -> str:
        return "" if self.from_ms is None else seconds(self.from_ms)

    @property
    def fragment(self) -> str:
        """Plays from there also without a script (https://www.w3.org/TR/media-frags/)."""
        return "" if self.from_ms is None else f"#t={seconds(self.from_ms - self.begins_ms)}"

    @property
    def first_time(self) -> str:
        return offset_text(max(self.begins_ms if self.from_ms is None else self.from_ms, 0))

    @property
    def last_time(self) -> str:
        return "–" if self.ends_ms is None else offset_text(max(self.ends_ms, 0))

    @property
    def height(self) -> int:
        return height_of(len(self.lanes))

    @property
    def waveform(self) -> str:
        """The waveform for screen readers."""
        return gettext("Waveform of caller and agent. %(summary)s") % {"summary": self.summary}

    @property
    def summary(self) -> str:
        """“2 interruptions, 1 silence over 2 s, 5 tool calls”"""
        interruptions, silences, tools = (sum(mark.kind == kind for mark in self.marks) for kind, _ in KINDS)
        said = (
            (ngettext("%(number)s interruption", "%(number)s interruptions", interruptions), interruptions),
            (ngettext("%(number)s silence over 2 s", "%(number)s silences over 2 s", silences), silences),
            (ngettext("%(number)s tool call", "%(number)s tool calls", tools), tools),
        )
        return ", ".join(text % {"number": number} for text, number in said)

    def holds(self, at_ms: int) -> bool:
        """Whether the recording has that time of the call."""
        return at_ms >= self.begins_ms and (self.ends_ms is None or at_ms <= self.ends_ms)


def seconds(ms: int) -> str:
    """“83.2”, as in `?t=83.2`."""
    return f"{ms / 1000:.1f}".removesuffix(".0")


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """What is not a number is not wanted."""
    return Wanted(_whole(query.get("recording", "")), _ms(query.get("t", "")))


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _ms(text: str) -> int | None:
    whole, _, part = text.partition(".")
    digits = whole + part
    if len(digits) > 10 or not (whole.isascii() and whole.isdigit()) or (part and not part.isdigit()):
        return None
    return round(float(text) * 1000)


def recordings_of(call: Call) -> list[Any]:
    """The newest first; `message` is set on those of a voicemail. The app of recordings is a layer above this one."""
    return list(call.recordings.annotate(message=F("voicemail__pk")).order_by("-id"))


def read_player(
    recordings: Sequence[Any], wanted: Wanted, marks: Iterable[Mark], turns: Sequence[Turn]
) -> Player | None:
    """Of the recording that is wanted, else of the newest with a file; None where nothing can be played.

    `marks` need no place yet. The silences are added here.
    """
    playable = [each for each in recordings if each.has_file and each.message is None]
    if not playable:
        return None
    chosen = next((each for each in playable if each.pk == wanted.recording), playable[0])
    begins, duration = chosen.starts_at_ms, chosen.duration_ms
    ends = None if duration is None else begins + duration
    from_ms = wanted.from_ms
    if from_ms is not None:
        from_ms = max(from_ms, begins) if ends is None or from_ms <= ends else None
    peaks = bytes(chosen.peaks) if chosen.peaks else None
    placed: list[Mark] = []
    if duration:
        silences = [*silences_of(peaks, duration_ms=duration, longer_than_ms=LONG_SILENCE_MS)]
        silences += [Silence(each.starts_ms - begins, each.ends_ms - begins) for each in slow_answers(turns)]
        found = [*marks, *(_silence(each, begins) for each in merged(silences))]
        placed = [_placed(mark, begins, duration) for mark in found if begins <= mark.at_ms <= begins + duration]
        placed.sort(key=lambda mark: mark.at_ms)
    return Player(
        recording=chosen,
        listen_url=reverse("admin:recordings_recording_listen", args=(chosen.pk,)),
        begins_ms=begins,
        ends_ms=ends,
        from_ms=from_ms,
        lanes=lanes_of(peaks) if duration else (),
        marks=placed[:MOST_MARKS],
        others=[each for each in playable if each is not chosen],
        library=static(LIBRARY) if finders.find(LIBRARY) else "",
    )


def slow_answers(turns: Iterable[Turn]) -> list[Silence]:
    """Between the end of the caller's speech and the answer nobody is heard."""
    return [
        Silence(turn.speech_ended_ms, turn.speech_ended_ms + turn.response_ms)
        for turn in turns
        if turn.speech_ended_ms is not None and turn.response_ms is not None and turn.response_ms > LONG_SILENCE_MS
    ]


def merged(silences: Iterable[Silence]) -> list[Silence]:
    """Those that overlap are one."""
    result: list[Silence] = []
    for each in sorted(silences, key=lambda silence: silence.starts_ms):
        if result and each.starts_ms <= result[-1].ends_ms:
            result[-1] = Silence(result[-1].starts_ms, max(result[-1].ends_ms, each.ends_ms))
        else:
            result.append(each)
    return result


def _silence(silence: Silence, begins_ms: int) -> Mark:
    length_ms = silence.ends_ms - silence.starts_ms
    text = gettext("Silence for %(length_ms)s s") % {"length_ms": f"{length_ms / 1000:.1f}"}
    return Mark("silence", begins_ms + max(silence.starts_ms, 0), text, x=0, width=length_ms)


def _placed(mark: Mark, begins_ms: int, duration_ms: int) -> Mark:
    """With its place in the waveform instead of times."""
    x = (mark.at_ms - begins_ms) * BINS // duration_ms
    width = max(mark.width * BINS // duration_ms, 1) if mark.width else 0
    return Mark(mark.kind, mark.at_ms, mark.text, min(x, BINS - 1), min(width, BINS - x))
