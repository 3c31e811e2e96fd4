"""What a file holds, whichever of the formats it has; what is none, and what is cut off; the same audio as Opus."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from recordings.finishing.audio import PEAKS, NoAudio, read_audio, read_channel, write_opus
from voiceapp.simulators import speech

from .files import RATE, Samples, quiet, tone, wav


def written(path: Path, container: str, codec: str, samples: Samples, *, from_s: float = 0.0) -> bytes:
    """A file of another format, its audio beginning at a second of it."""
    with av.open(str(path), "w", format=container) as out:
        stream = cast(AudioStream, out.add_stream(codec, rate=48_000, layout="mono"))
        for at in range(0, len(samples), 960):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 960], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48_000, at + round(from_s * 48_000) * (at >= 48_000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path.read_bytes()


def test_speech_is_loud_and_silence_is_not() -> None:
    said = np.frombuffer(speech.say("Please call me back.") + bytes(16000), "<i2")
    spoken = read_audio(wav(said))
    assert spoken.duration_ms == len(said) * 1000 // RATE > 2000
    assert 600 < spoken.loud_ms[0] < spoken.duration_ms - 900
    assert read_audio(wav(quiet(1))).loud_ms == (0,)


def test_two_channels_are_measured_each_by_itself() -> None:
    audio = read_audio(wav(tone(2), np.concatenate((quiet(1), tone(1, loudness=2000)))))
    assert (audio.channels, audio.duration_ms, audio.loud_ms) == (2, 2000, (2000, 1000))
    caller, agent = audio.peaks[:PEAKS], audio.peaks[PEAKS:]
    assert set(caller) <= {61, 62}
    assert (set(agent[:499]), set(agent[501:])) == ({0}, {15})


def test_a_beep_of_a_long_file_is_seen_where_it_is() -> None:
    sound = quiet(600)
    sound[RATE * 300 : RATE * 300 + 160] = 32_000
    peaks = read_audio(wav(sound)).peaks
    assert [at for at, peak in enumerate(peaks) if peak] == [500]


def test_an_hour_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    path.write_bytes(wav(quiet(0)))
    with path.open("r+b") as file:
        file.seek(40)
        file.write((3600 * RATE * 2).to_bytes(4, "little"))
        for minute in (0, 30, 59):
            file.seek(44 + minute * 60 * RATE * 2)
            file.write(tone(0.5).tobytes())
        file.truncate(44 + 3600 * RATE * 2)
    audio = read_audio(path)
    assert (audio.duration_ms, audio.loud_ms) == (3_600_000, (1500,))
    assert [at for at, peak in enumerate(audio.peaks) if peak] == [0, 500, 983]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5, 3.0, 10.0, 61.7])
def test_there_are_always_a_thousand_peaks(seconds: float) -> None:
    audio = read_audio(wav(tone(seconds)))
    assert (len(audio.peaks), audio.duration_ms) == (PEAKS, int(seconds * 1000))


@pytest.mark.parametrize(
    ("container", "codec"),
    [("wav", "pcm_s16le"), ("ogg", "libopus"), ("mp4", "aac"), ("webm", "libopus"), ("mp3", "libmp3lame")],
)
def test_a_file_of_each_format_is_read(tmp_path: Path, container: str, codec: str) -> None:
    content = written(tmp_path / "a", container, codec, tone(2, rate=48_000))
    assert read_audio(content).duration_ms == pytest.approx(2000, abs=60)
    assert read_audio(content).loud_ms[0] > 1900


def test_what_is_missing_in_the_middle_is_silence(tmp_path: Path) -> None:
    """A browser's file leaves out what it did not hear: a second of the file must stay a second of the call."""
    content = written(tmp_path / "a", "webm", "libopus", tone(2, rate=48_000), from_s=1.5)
    audio = read_audio(content)
    assert audio.duration_ms == pytest.approx(3500, abs=60)
    assert audio.loud_ms[0] == pytest.approx(2000, abs=60)
    write_opus(tmp_path / "a", tmp_path / "b")
    assert read_audio(tmp_path / "b").duration_ms == pytest.approx(3500, abs=60)


def test_hours_that_are_missing_are_no_silence(tmp_path: Path) -> None:
    """Nor would they fit into the memory."""
    with pytest.raises(NoAudio, match=r"^The file leaves out 36\d\d s.$"):
        read_audio(written(tmp_path / "a", "webm", "libopus", tone(2, rate=48_000), from_s=3600))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty."),
        (b"RIFF", "The file is cut off."),
        (b"<html></html>", "The file is no audio file that can be read."),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "The file is no audio file that can be read."),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "The file is no audio file that can be read."),
        (wav(quiet(1))[:-100], "The file is cut off."),
        (b"RIFF" + b"\xff" * 60, "The file is cut off."),
        (b"OggS" + b"\xff" * 60, "The file is damaged or cut off."),
        (b"\x1aE\xdf\xa3" + b"\0" * 60, "The file is damaged or cut off."),
    ],
    ids=["empty", "riff", "html", "playlist", "list", "cut", "no wav", "no ogg", "no webm"],
)
def test_what_is_no_audio_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NoAudio, match=f"^{why}$"):
        read_audio(content)


def test_a_file_without_its_end_is_cut_off(tmp_path: Path) -> None:
    for container, codec in (("mp4", "aac"), ("webm", "libopus")):
        content = written(tmp_path / "a", container, codec, tone(5, rate=48_000))
        with pytest.raises(NoAudio, match="cut off"):
            read_audio(content[: len(content) // 2])


def test_a_stream_whose_length_was_never_written_is_whole() -> None:
    content = bytearray(wav(tone(1)))
    content[40:44] = b"\xff\xff\xff\xff"
    assert read_audio(bytes(content)).duration_ms == 1000


def test_opus_has_every_channel_where_it_was(tmp_path: Path) -> None:
    """Within 20 ms: what was said is found where the transcript says."""
    said = np.frombuffer(speech.say("Please call me back."), "<i2")
    lanes = [np.concatenate((quiet(at), said, quiet(6 - at))) for at in (0.5, 4.0)]
    source, opus = tmp_path / "a.wav", tmp_path / "a.ogg"
    source.write_bytes(wav(*lanes))
    write_opus(source, opus)
    assert opus.stat().st_size < source.stat().st_size / 4
    before, after = read_audio(source), read_audio(opus)
    assert (after.channels, after.duration_ms) == (2, before.duration_ms)
    for spoken, heard in zip(before.loud, after.loud, strict=True):
        assert abs(heard.index(1) - spoken.index(1)) <= 2
        assert abs(heard.rindex(1) - spoken.rindex(1)) <= 2


def test_a_channel_is_read_by_itself(tmp_path: Path) -> None:
    lanes = tone(1.5), tone(1.5, loudness=100)
    (tmp_path / "a").write_bytes(wav(*lanes))
    for channel, lane in enumerate(lanes):
        assert b"".join(read_channel(tmp_path / "a", channel=channel)) == lane.tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for container, codec in (("wav", "pcm_s16le"), ("ogg", "libopus"), ("mp4", "aac"), ("webm", "libopus")):
        whole = written(tmp_path / "a", container, codec, tone(0.3, rate=48_000))
        for _ in range(25):
            content = bytearray(whole)
            for _ in range(chance.choice((1, 3, 20))):
                content[chance.randrange(8, len(content))] = chance.randrange(256)
            with suppress(NoAudio):
                read_audio(bytes(content))
