"""The waveform of a recording as paths of an SVG, and the silences in it: the page needs no script to draw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext

# `Recording.peaks`: for each channel so many bytes, each the loudest sample of its part of the file.
BINS = 1000
LANE_HEIGHT = 48
GAP = 4
# Of 255: the noise of a telephone line is below it.
QUIET = 4
# A recording that is silent as a whole is not drawn as if it were loud.
LEAST_TOP = 24


@dataclass(frozen=True, slots=True)
class Lane:
    """The bars of one channel: one of BINS units of width each, in a lane that begins at `y`."""

    name: str
    kind: str
    path: str
    y: int


@dataclass(frozen=True, slots=True)
class Silence:
    starts_ms: int
    ends_ms: int


def lanes_of(peaks: bytes | None) -> list[Lane]:
    """One lane for each channel, on one scale; none where there is no waveform."""
    channels = channels_of(peaks)
    top = max([LEAST_TOP, *(max(each) for each in channels)])
    named = (
        [(gettext("Caller"), "caller"), (gettext("Agent"), "agent")]
        if len(channels) == 2
        else [(gettext("Caller and agent"), "both")]
    )
    return [
        Lane(name, kind, _path(channel, top, at * (LANE_HEIGHT + GAP)), at * (LANE_HEIGHT + GAP))
        for at, (channel, (name, kind)) in enumerate(zip(channels, named, strict=False))
    ]


def height_of(lanes: int) -> int:
    return lanes * LANE_HEIGHT + max(lanes - 1, 0) * GAP


def channels_of(peaks: bytes | None) -> list[bytes]:
    if not peaks or len(peaks) not in (BINS, 2 * BINS):
        return []
    return [bytes(peaks[at : at + BINS]) for at in range(0, len(peaks), BINS)]


def silences_of(peaks: bytes | None, *, duration_ms: int, longer_than_ms: int) -> list[Silence]:
    """Where nobody is heard for longer than that, in ms of the file. A part counts if all of it is quiet: in a long
    file, whose parts are long, short silences are not seen."""
    channels = channels_of(peaks)
    if not channels:
        return []
    is_quiet = [all(peak < QUIET for peak in each) for each in zip(*channels, strict=True)]
    found = (Silence(first * duration_ms // BINS, end * duration_ms // BINS) for first, end in _runs(is_quiet))
    return [each for each in found if each.ends_ms - each.starts_ms > longer_than_ms]


def _path(channel: bytes, top: int, y: int) -> str:
    middle = y + LANE_HEIGHT // 2
    heights = (max(peak * (LANE_HEIGHT // 2) // top, 1) if peak else 0 for peak in channel)
    bars = (f"M{at} {middle - half}V{middle + half}" for at, half in enumerate(heights) if half)
    return f"M0 {middle}H{BINS}{''.join(bars)}"


def _runs(flags: list[bool]) -> Iterator[tuple[int, int]]:
    """First and end of each run of True."""
    first: int | None = None
    for at, flag in enumerate([*flags, False]):
        if flag and first is None:
            first = at
        elif not flag and first is not None:
            yield first, at
            first = None
