"""What an audio file holds, and the same audio as Opus in Ogg. Read in parts by PyAV: memory does not grow with a file.

A file comes from outside. Its first bytes say which of a few formats it may be, so that FFmpeg opens no playlist, which
could name other files and addresses. Gaps in its time stamps become silence, so that a second of the file is a second
of the call.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph

from voiceapp.core.kept_texts import KeptText

# Of what is measured. Voices on the phone have no higher frequencies.
RATE = 8000
MS_OF_PEAK = 10
SAMPLES_OF_PEAK = RATE * MS_OF_PEAK // 1000
PEAKS = 1000
# Mean amplitude of 10 ms of 16-bit samples. The noise of a telephone line is below it, a whisper above.
LEAST_LOUDNESS = 120
# Shorter than what a decoder may lose at the end of a whole file.
TOLERANCE_MS = 250
# Of the Opus that is kept.
BITS_PER_S = 24_000
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
OPUS_FRAME_MS = 20
# The silence that fills a gap is in memory at once.
LONGEST_GAP_S = 600
LONGEST_S = 24 * 3600
# In the header of a WAV file that was written as a stream.
UNKNOWN_BYTES = 0xFFFF_FF00
# The first bytes, where they stand, and FFmpeg's name of the format.
FORMATS = (
    (b"RIFF", 0, "wav"),
    (b"RF64", 0, "wav"),
    (b"OggS", 0, "ogg"),
    (b"ftyp", 4, "mp4"),
    (b"\x1aE\xdf\xa3", 0, "matroska"),
    (b"ID3", 0, "mp3"),
    (b"\xff\xfb", 0, "mp3"),
    (b"\xff\xf3", 0, "mp3"),
    (b"\xff\xf2", 0, "mp3"),
)


def cut_off(ends_ms: int, announced_ms: int) -> KeptText:
    return KeptText(
        "The file is cut off: it ends after %(ends)s of %(announced)s s.",
        ends=f"{ends_ms / 1000:.1f}",
        announced=f"{announced_ms / 1000:.1f}",
    )


class NoAudio(ValueError):
    """The file is none that we read, is damaged, or is cut off. The text says which, for an operator."""


@dataclass(frozen=True, slots=True)
class Audio:
    """`loud`: of each channel, a byte for each 10 ms, 1 where it is louder than the noise of a line. `peaks`: as in
    Recording.peaks."""

    duration_ms: int
    loud: tuple[bytes, ...]
    peaks: bytes

    @property
    def channels(self) -> int:
        return len(self.loud)

    @property
    def loud_ms(self) -> tuple[int, ...]:
        return tuple(each.count(1) * MS_OF_PEAK for each in self.loud)


def read_audio(source: Path | bytes) -> Audio:
    """Decodes the whole file once. Raises NoAudio."""
    with _opened(source) as (container, stream):
        channels = min(stream.channels, 2)
        levels = [_Levels() for _ in range(channels)]
        samples = 0
        for frame in _frames(container, stream, rate=RATE, channels=channels, layout="s16p", size=RATE):
            samples += frame.samples
            for plane, each in zip(frame.planes, levels, strict=False):
                each.add(memoryview(plane).cast("B")[: frame.samples * 2].cast("h"))
        duration_ms = samples * 1000 // RATE
        announced_ms = _announced_ms(container, stream)
    if announced_ms and duration_ms < announced_ms - TOLERANCE_MS:
        raise NoAudio(cut_off(duration_ms, announced_ms))
    return Audio(duration_ms, tuple(bytes(each.loud) for each in levels), b"".join(each.peaks() for each in levels))


def write_opus(source: Path, into: Path) -> None:
    """Opus in Ogg with the channels of the source, two at most. Raises NoAudio for the source, OSError for the disk."""
    with _opened(source) as (container, stream):
        channels = min(stream.channels, 2)
        rate = next((each for each in OPUS_RATES if each >= stream.rate), OPUS_RATES[-1])
        with av.open(str(into), "w", format="ogg") as output:
            encoder = output.add_stream("libopus", rate=rate, options={"application": "voip"})
            encoder.bit_rate = BITS_PER_S * channels
            encoder.layout = _layout(channels)
            size = rate * OPUS_FRAME_MS // 1000
            for frame in _frames(container, stream, rate=rate, channels=channels, layout="s16", size=size):
                output.mux(encoder.encode(frame))
            output.mux(encoder.encode(None))


def read_channel(path: Path, *, channel: int) -> Iterator[bytes]:
    """One channel as 16-bit samples at 8 kHz, a second at a time. Raises NoAudio."""
    with _opened(path) as (container, stream):
        channels = min(stream.channels, 2)
        for frame in _frames(container, stream, rate=RATE, channels=channels, layout="s16p", size=RATE):
            yield bytes(memoryview(frame.planes[channel]).cast("B")[: frame.samples * 2])


class _Levels:
    """Of one channel, for each 10 ms: the loudest sample as a byte, and whether it is loud."""

    def __init__(self) -> None:
        self._peaks = bytearray()
        self.loud = bytearray()

    def add(self, samples: memoryview[int]) -> None:
        if samples.tobytes().count(0) == samples.nbytes:
            # Most of a lane is: the other one speaks.
            of_silence = bytes(-(-len(samples) // SAMPLES_OF_PEAK))
            self._peaks += of_silence
            self.loud += of_silence
            return
        for at in range(0, len(samples), SAMPLES_OF_PEAK):
            part = samples[at : at + SAMPLES_OF_PEAK]
            self._peaks.append(min(max(max(part), -min(part)) >> 7, 255))
            self.loud.append(sum(map(abs, part)) >= LEAST_LOUDNESS * len(part))

    def peaks(self) -> bytes:
        count = len(self._peaks)
        if not count:
            return bytes(PEAKS)
        bounds = [at * count // PEAKS for at in range(PEAKS + 1)]
        return bytes(max(self._peaks[at : max(end, at + 1)]) for at, end in pairwise(bounds))


@contextmanager
def _opened(source: Path | bytes) -> Iterator[tuple[InputContainer, AudioStream]]:
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        kind = _kind_of(file)
        try:
            # By the open file, so that FFmpeg opens no other one, whatever this one names.
            with av.open(file, "r", format=kind, metadata_errors="replace") as container:
                stream = next(filter(_is_known, container.streams.audio), None)
                if stream is None:
                    raise NoAudio(KeptText("The file has no audio in it that can be read."))
                yield container, stream
        except av.FFmpegError as exc:
            if exc.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OSError(exc.errno, exc.strerror) from exc
            raise NoAudio(KeptText("The file is damaged or cut off.")) from exc


def _is_known(stream: AudioStream) -> bool:
    """Whether there is a decoder for it, and its header is complete."""
    context = stream.codec_context
    return context is not None and context.format is not None and context.sample_rate > 0 and context.channels > 0


def _kind_of(file: BinaryIO) -> str:
    begin = file.read(12)
    kind = next((name for mark, at, name in FORMATS if begin[at : at + len(mark)] == mark), None)
    if kind is None:
        no_audio = KeptText("The file is no audio file that can be read.")
        raise NoAudio(no_audio if begin else KeptText("The file is empty."))
    if kind == "wav" and _is_cut_off(file):
        raise NoAudio(KeptText("The file is cut off."))
    file.seek(0)
    return kind


def _is_cut_off(file: BinaryIO) -> bool:
    """Whether a WAV file has less audio than its header says: FFmpeg reads it without a complaint."""
    end = file.seek(0, os.SEEK_END)
    at = 12
    while at + 8 <= end:
        file.seek(at)
        name, size = file.read(4), int.from_bytes(file.read(4), "little")
        if name == b"data":
            return UNKNOWN_BYTES > size > end - at - 8
        at += 8 + size + size % 2
    return True


def _frames(
    container: InputContainer, stream: AudioStream, *, rate: int, channels: int, layout: str, size: int
) -> Iterator[AudioFrame]:
    """In this rate and format, `size` samples each but the last; time stamps without a gap, from 0 on."""
    graph = Graph()
    source = graph.add_abuffer(template=stream)
    sink = graph.add("abuffersink")
    graph.link_nodes(
        source,
        graph.add("aresample", f"{rate}:async=1:first_pts=0:min_hard_comp=0.02"),
        graph.add("aformat", f"sample_fmts={layout}:channel_layouts={_layout(channels)}"),
        graph.add("asetnsamples", f"n={size}:p=0"),
        sink,
    ).configure()
    ends_s = 0.0
    for frame in container.decode(stream):
        if frame.time is not None:
            if frame.time > ends_s + LONGEST_GAP_S:
                raise NoAudio(KeptText("The file leaves out %(seconds)d s.", seconds=round(frame.time - ends_s)))
            ends_s = frame.time + frame.samples / frame.sample_rate
            if ends_s > LONGEST_S:
                raise NoAudio(KeptText("The file is longer than a day."))
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            yield cast(AudioFrame, graph.pull())
        except (av.BlockingIOError, av.EOFError):
            return


def _layout(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"


def _announced_ms(container: InputContainer, stream: AudioStream) -> int:
    """What the header says; 0 where it says nothing, as Ogg's does."""
    if container.format.name == "ogg":
        return 0
    if stream.duration and stream.time_base:
        return int(stream.duration * stream.time_base * 1000)
    return int((container.duration or 0) / 1000)
