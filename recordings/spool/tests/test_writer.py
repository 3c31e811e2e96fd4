"""Spool files are written by a thread: what it gets is in the file, and no trouble with a disk reaches the call."""

from __future__ import annotations

import os
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings.spool.blocks import FileHeader, Heard, NotASpoolFile, Said, packed, read_blocks, read_header
from recordings.spool.writer import MOST_WAITING, TOO_SLOW, SpoolFile, SpoolWriter

FRAME = b64encode(b"\x55" * 160).decode()
HEADER = FileHeader(tape="a", call="b")


def second(number: int = 0) -> Said:
    """A second of a call in which both sides speak; as on a line, each frame is a string of its own."""
    frames = [(FRAME + "x")[:-1] for _ in range(50)]
    chunks = [(FRAME + "x")[:-1] for _ in range(50)]
    times = [number * 1_000] * 50
    seconds = [float(number)] * 50
    return Said([(number * 8_000, frames)], number * 50, chunks, times, seconds, [(Heard.ECHOED, 5, 100, 100, 0)])


@pytest.fixture
def writer() -> SpoolWriter:
    return SpoolWriter()


@pytest.fixture
def file(writer: SpoolWriter, tmp_path: Path) -> SpoolFile:
    return SpoolFile(writer, tmp_path / "spool" / "a.tape", HEADER)


def test_what_is_appended_is_in_the_file_in_order(file: SpoolFile) -> None:
    for number in range(3):
        file.append(second(number))
    file.close().result(10)
    assert (file.fault, file.written_blocks) == ("", 3)
    with file.path.open("rb") as written:
        assert read_header(written) == HEADER
        blocks = list(read_blocks(written))
    assert [[at for at, _ in block.caller] for block in blocks] == [[0], [8_000], [16_000]]
    assert {b"".join(frames.audio()) for block in blocks for _, frames in block.caller} == {b"\x55" * 8_000}
    assert [b"".join(block.chunks.audio()) for block in blocks] == [b"\x55" * 8_000] * 3
    assert blocks[2].heard == [(Heard.ECHOED, 5, 100, 100, 0)]
    assert file.path.stat().st_mode & 0o077 == 0


def test_a_full_disk_is_a_reason_and_nothing_more(writer: SpoolWriter, file: SpoolFile) -> None:
    full = SpoolFile(writer, Path("/dev/full"), HEADER)
    full.append(second())
    file.append(second())
    full.append(second())
    full.close().result(10)
    file.close().result(10)
    assert (full.fault, full.written_blocks) == ("No space left on device.", 0)
    assert (file.fault, file.written_blocks) == ("", 1)


def test_a_folder_that_cannot_be_made_is_a_reason(writer: SpoolWriter, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    file = SpoolFile(writer, tmp_path / "spool" / "a.tape", HEADER)
    file.append(second())
    file.close().result(10)
    assert file.fault in ("File exists.", "Not a directory.")


def test_a_deleted_file_stays_deleted(file: SpoolFile) -> None:
    file.append(second())
    file.delete()
    file.append(second())
    file.close().result(10)
    assert not file.path.exists()


@pytest.fixture
def hung(writer: SpoolWriter, tmp_path: Path) -> Iterator[Path]:
    """A disk that answers nothing: the thread waits until somebody reads."""
    path = tmp_path / "hung"
    os.mkfifo(path)
    SpoolFile(writer, path, HEADER).append(second())
    yield path
    reader = os.open(path, os.O_RDONLY)
    os.close(reader)


def test_a_hung_disk_holds_up_no_call_and_fills_no_memory(writer: SpoolWriter, hung: Path, tmp_path: Path) -> None:
    files = [SpoolFile(writer, tmp_path / f"{number}.tape", HEADER) for number in range(200)]
    tracemalloc.start()
    for number in range(MOST_WAITING + 5):
        for each in files:
            each.append(second(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {each.fault for each in files} == {TOO_SLOW}
    assert held < 200 * MOST_WAITING * 60_000


def test_two_hundred_calls_hold_no_memory_while_the_disk_keeps_up(writer: SpoolWriter, tmp_path: Path) -> None:
    files = [SpoolFile(writer, tmp_path / f"{number}.tape", HEADER) for number in range(200)]
    for each in files:
        each.append(second())
    writer.idle(within_s=30)
    tracemalloc.start()
    for number in range(1, 6):
        for each in files:
            each.append(second(number))
        writer.idle(within_s=30)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 500_000
    for each in files:
        each.close().result(30)
    assert {(each.fault, each.written_blocks) for each in files} == {("", 6)}


def test_what_is_cut_off_or_changed_ends_the_file(tmp_path: Path) -> None:
    first, other = packed(second()), packed(second(1))
    for harmed in (other[:-1], other[:5], other[:100] + b"x" + other[101:], b"VTB0" + other[4:], b""):
        path = tmp_path / "harmed"
        path.write_bytes(first + harmed + first)
        with path.open("rb") as file:
            assert len(list(read_blocks(file))) == 1 + (not harmed)


def test_a_chunk_that_is_no_base64_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(
        packed(second()._replace(chunks=[FRAME, "$", FRAME], sent_at_ms=[0, 20, 40], sent_at_s=[0.0, 0.02, 0.04]))
    )
    with path.open("rb") as file:
        [block] = read_blocks(file)
    assert block.chunks.audio() == [b"\x55" * 160, b"", b"\x55" * 160]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"{}\n", b'{"format":"other","tape":"","call":"","version":9}\n'])
def test_another_file_is_not_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with path.open("rb") as file, pytest.raises(NotASpoolFile):
        read_header(file)
