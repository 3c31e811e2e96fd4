"""What a tape takes down, read back: both lanes are where they were said and heard, within a frame of 20 ms."""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from recordings.spool.blocks import FileHeader, Heard, Said, header_line, packed
from recordings.spool.wav import write_wav
from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.stream_clock import QUIET_AFTER_MS
from telephony.bridge.tests.alignment import assert_placed, lanes_of, pcm
from telephony.bridge.tests.far_phone import SILENCE, TICK_MS, FarPhone


class BusyServer(FarPhone):
    """A phone whose server has no time now and then. After that it reads what has come, the provider's sound first."""

    def __init__(self, **line: int) -> None:
        super().__init__(**line)
        self.is_busy: Callable[[int], bool] = lambda at_ms: False
        self.tape.own_clock = lambda: self.now_ms / 1000
        self._spoken: deque[tuple[int, AgentItem, bytes]] = deque()

    def speaks(self, item: AgentItem, *, from_ms: int, lasts_ms: int) -> None:
        """In real time, 200 ms ahead, as VAPI does."""
        for at in range(0, lasts_ms, 20):
            self._spoken.append((from_ms + max(at - 200, 0), item, self.random.randbytes(160)))

    def _serve(self) -> None:
        if self.is_busy(self.now_ms):
            return
        while self._spoken and self._spoken[0][0] <= self.now_ms:
            _, item, audio = self._spoken.popleft()
            self.playout.add(item, b64encode(audio).decode())
        super()._serve()


class BreakingPhone(FarPhone):
    """A dialer whose line breaks and comes back: what was under way from the caller is lost, echoes come late with
    their time, and what had not arrived is sent again (telephony/live/page_line.py)."""

    def __init__(self, *, breaks_ms: int, back_ms: int, **line: int) -> None:
        super().__init__(**line)
        self._breaks_ms, self._back_ms = breaks_ms, back_ms
        self.tape.own_clock = lambda: self.now_ms / 1000
        self._missing: list[tuple[str, str]] = []
        self._late: list[tuple[int, bytes]] = []
        self._heard_at_ms, self._is_held = 0, False

    @property
    def is_away(self) -> bool:
        return self._breaks_ms <= self.now_ms < self._back_ms

    def _send_down(self, kind: str, content: str) -> None:
        if self.is_away:
            self._missing.append((kind, content))
        else:
            super()._send_down(kind, content)

    def _send_up(self, kind: str, at_ms: int, content: bytes) -> None:
        if not self.is_away:
            super()._send_up(kind, at_ms, content)
        elif kind == "mark":
            self._late.append((self.now_ms, content))

    def _step(self) -> None:
        if self.now_ms == self._breaks_ms:
            self._missing = [(kind, content) for _, kind, content in self._down]
            self._down.clear()
            self._up.clear()
        elif self.now_ms == self._back_ms:
            self.tape.sent_again(sum(kind == "play" for kind, _ in self._missing))
            for kind, content in self._missing:
                super()._send_down(kind, content)
            for at_ms, name in self._late:
                super()._send_up("late", at_ms, name)
        super()._step()

    def _arrive(self, kind: str, at_ms: int, content: bytes) -> None:
        self._heard_at_ms = self.now_ms
        if self._is_held:
            self._is_held = False
            self.playout.go_on()
        if kind == "late":
            self.tape.echoed(content.decode(), at_ms=at_ms)
            self.playout.echoed(content.decode())
        else:
            super()._arrive(kind, at_ms, content)

    def _serve(self) -> None:
        super()._serve()
        silent_ms = self.now_ms - self._heard_at_ms
        if self.now_ms % TICK_MS == 0 and silent_ms > QUIET_AFTER_MS and not self._is_held:
            self._is_held = True
            self.playout.hold(silent_ms=silent_ms)


class Recorded:
    """Reads what the tape holds every so often, as the shell does, and makes the WAV file of it."""

    def __init__(self, phone: FarPhone, folder: Path) -> None:
        self.phone = phone
        self._file = folder / "call.tape"
        self._wav = folder / "call.wav"
        self._file.write_bytes(header_line(FileHeader(tape="t", call="c")))
        self.most_held = 0

    def wait(self, ms: int) -> None:
        """Time passes; a block is written each second."""
        while ms > 0:
            self.phone.wait(min(ms, 1000))
            ms -= 1000
            self._write(self.phone.tape.take())

    def _write(self, said: Said | None) -> None:
        if said is not None:
            self.most_held = max(self.most_held, len(said.chunks) + sum(len(frames) for _, frames in said.caller))
            with self._file.open("ab") as file:
                file.write(packed(said))

    def lanes(self, *, ends: bool = True) -> tuple[bytes, bytes]:
        """The samples of caller and agent, 16 bits each."""
        if ends:
            self.phone.tape.ended()
        self._write(self.phone.tape.take())
        write_wav(self._file, self._wav)
        return lanes_of(self._wav)


def test_both_lanes_are_where_they_were(tmp_path: Path) -> None:
    phone = FarPhone()
    recorded = Recorded(phone, tmp_path)
    phone.say(1_130)
    phone.speak(700)
    recorded.wait(2_000)
    phone.say(310)
    recorded.wait(300)
    phone.speak(2_500)
    recorded.wait(3_000)
    caller, agent = recorded.lanes()
    assert caller == pcm(phone.said)
    assert agent == pcm(phone.heard, like=agent)


@pytest.mark.parametrize(("down_ms", "up_ms"), [(0, 0), (90, 90), (30, 240), (300, 20)])
@pytest.mark.parametrize("phase_ms", [0, 7, 19])
def test_the_agent_is_cut_where_the_phone_stopped(tmp_path: Path, down_ms: int, up_ms: int, phase_ms: int) -> None:
    phone = FarPhone(down_ms=down_ms, up_ms=up_ms, phase_ms=phase_ms)
    recorded = Recorded(phone, tmp_path)
    recorded.wait(400)
    phone.say(4_000)
    recorded.wait(1_730)
    phone.interrupt()
    recorded.wait(900)
    phone.say(500)
    recorded.wait(2_000)
    caller, agent = recorded.lanes()
    assert caller == pcm(phone.said, like=caller)
    assert_placed(agent, phone.heard)


def test_echoes_may_be_lost(tmp_path: Path) -> None:
    phone = FarPhone(down_ms=60, up_ms=60)
    dice = Random(5)
    phone.loses = lambda name: dice.random() < 0.6
    recorded = Recorded(phone, tmp_path)
    for ms in (900, 1_400, 330):
        phone.say(ms)
        recorded.wait(ms + 700)
    _, agent = recorded.lanes()
    assert_placed(agent, phone.heard)


def test_without_any_echo_the_agent_stands_where_it_was_sent(tmp_path: Path) -> None:
    phone = FarPhone()
    phone.loses = lambda name: True
    recorded = Recorded(phone, tmp_path)
    for ms in (600, 900):
        phone.say(ms)
        recorded.wait(ms + 3_000)
    _, agent = recorded.lanes()
    assert_placed(agent, phone.heard)


def test_gaps_in_the_callers_audio_are_silence(tmp_path: Path) -> None:
    phone = FarPhone(up_ms=40)
    phone.mutes = lambda at_ms: 500 <= at_ms < 620 or 1_000 <= at_ms < 3_500
    recorded = Recorded(phone, tmp_path)
    phone.speak(5_000)
    recorded.wait(5_100)
    caller, _ = recorded.lanes()
    muted = bytearray(phone.said)
    muted[500 * 8 : 620 * 8] = SILENCE * 120 * 8
    muted[1_000 * 8 : 3_500 * 8] = SILENCE * 2_500 * 8
    assert caller == pcm(muted, like=caller)


def test_frames_that_come_after_their_place_was_padded_are_put_into_it(tmp_path: Path) -> None:
    phone = FarPhone(up_ms=40)
    phone.holds = lambda at_ms: max(3_000 - at_ms, 0) if 1_000 <= at_ms < 3_000 else 0
    recorded = Recorded(phone, tmp_path)
    phone.speak(6_000)
    recorded.wait(6_000)
    caller, _ = recorded.lanes()
    assert len(caller) > 16 * 5_900
    assert caller == pcm(phone.said)[: len(caller)]


def test_remainders_of_frames_are_carried(tmp_path: Path) -> None:
    """A provider sends pieces of any size: less than a frame waits for the next one, and is padded at the end."""
    phone = FarPhone(down_ms=50, up_ms=50)
    recorded = Recorded(phone, tmp_path)
    first, second = AgentItem("a"), AgentItem("b")
    phone.say(333, first, deltas_of_ms=7, ends=False)
    phone.say(777, first, deltas_of_ms=33)
    phone.say(411, second, deltas_of_ms=411)
    recorded.wait(2_500)
    _, agent = recorded.lanes()
    assert_placed(agent, phone.heard)


def test_audio_that_comes_in_real_time_over_a_bad_line(tmp_path: Path) -> None:
    """The phone runs dry in the middle of speech, again and again."""
    phone = FarPhone(down_ms=60, up_ms=60)
    dice = Random(3)
    phone.holds = lambda at_ms: dice.choice((0, 0, 0, 0, 45))
    recorded = Recorded(phone, tmp_path)
    item = AgentItem("a")
    for _ in range(150):
        phone.say(20, item, deltas_of_ms=20, ends=False)
        recorded.wait(20)
    phone.playout.complete(item)
    recorded.wait(1_000)
    _, agent = recorded.lanes()
    assert_placed(agent, phone.heard, within_ms=60)


@pytest.mark.parametrize("seed", range(6))
def test_a_server_that_has_no_time_now_and_then(tmp_path: Path, seed: int) -> None:
    """The phone runs dry, the clock of the stream stands, and echoes wait."""
    dice = Random(seed)
    phone = BusyServer(down_ms=dice.randrange(80), up_ms=dice.randrange(80), seed=seed)
    busy = [range(at, at + dice.choice((60, 120, 250, 400))) for at in dice.sample(range(300, 6_000), 6)]
    phone.is_busy = lambda at_ms: any(at_ms in each for each in busy)
    recorded = Recorded(phone, tmp_path)
    for from_ms in (200, 3_000, 4_900):
        phone.speaks(AgentItem(str(from_ms)), from_ms=from_ms, lasts_ms=1_600)
    recorded.wait(8_000)
    _, agent = recorded.lanes()
    assert_placed(agent, phone.heard)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_that_breaks_and_an_interruption_after_it(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    breaks_ms, back_ms = 1_000 + dice.randrange(200), 2_200 + dice.randrange(300)
    phone = BreakingPhone(
        breaks_ms=breaks_ms, back_ms=back_ms, down_ms=dice.choice((1, 20, 60)), up_ms=dice.choice((1, 20, 60)),
        phase_ms=dice.randrange(20), seed=seed,
    )  # fmt: skip
    recorded = Recorded(phone, tmp_path)
    recorded.wait(400)
    phone.say(6_000)
    recorded.wait(back_ms - 400 + dice.randrange(300, 1_500))
    phone.interrupt()
    recorded.wait(900)
    phone.say(500)
    recorded.wait(1_500)
    _, agent = recorded.lanes()
    assert_placed(agent, phone.heard)


@pytest.mark.parametrize("seed", range(4))
def test_a_whole_call_with_interruptions(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    phone = FarPhone(down_ms=dice.randrange(150), up_ms=dice.randrange(150), phase_ms=dice.randrange(20), seed=seed)
    recorded = Recorded(phone, tmp_path)
    for _ in range(8):
        for _ in range(dice.randrange(1, 4)):
            phone.say(dice.randrange(40, 1_800), deltas_of_ms=dice.choice((20, 50, 200, 400)))
        recorded.wait(dice.randrange(20, 4_000))
        if dice.random() < 0.6:
            phone.speak(400)
            phone.interrupt()
        recorded.wait(dice.choice((0, 40, 300, 1_500)))
    recorded.wait(3_000)
    caller, agent = recorded.lanes()
    assert caller == pcm(phone.said, like=caller)
    assert_placed(agent, phone.heard)


def test_what_is_left_after_the_process_died_is_whole(tmp_path: Path) -> None:
    """The last block is cut off in the middle: all before it counts, and what was not heard by then is not in it."""
    phone = FarPhone(down_ms=30, up_ms=30)
    recorded = Recorded(phone, tmp_path)
    phone.say(9_000)
    phone.speak(9_000)
    recorded.wait(5_000)
    file = tmp_path / "call.tape"
    whole = file.read_bytes()
    phone.wait(700)
    recorded._write(phone.tape.take())
    file.write_bytes(file.read_bytes()[:-1_000])
    write_wav(file, tmp_path / "torn.wav")
    file.write_bytes(whole)
    write_wav(file, tmp_path / "whole.wav")
    assert (tmp_path / "torn.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()
    caller, agent = lanes_of(tmp_path / "whole.wav")
    assert 4_900 <= len(caller) // 16 <= 5_000
    assert_placed(agent, phone.heard[: len(agent) // 2])


def test_what_the_stream_clock_cannot_tell_is_taken_down_beside_it() -> None:
    """Frames wait to be read: the clock stands or guesses, ours goes on, and an echo has its place among the frames."""
    phone = FarPhone()
    own = iter((7.0, 7.35, 7.6))
    phone.tape.own_clock = lambda: next(own)
    phone.wait(200)
    phone.tape.play("AAAA")
    phone.tape.play("AAAA")
    phone.tape.mark("1")
    phone.clock.tick(350)  # no frame has come since the last one
    phone.tape.echoed("1")
    said = phone.tape.take()
    assert said is not None
    assert (said.sent_at_ms, said.sent_at_s) == ([200, 200], [7.0, 7.35])
    assert said.heard == [(Heard.ECHOED, 2, 200, 350, 250)]


def test_a_tape_that_is_read_holds_no_more_than_a_second(tmp_path: Path) -> None:
    phone = FarPhone()
    phone.loses = lambda name: True
    recorded = Recorded(phone, tmp_path)
    for _ in range(30):
        phone.say(900, deltas_of_ms=20)
        phone.speak(1_000)
        recorded.wait(1_000)
    assert recorded.most_held <= 150
    assert len(phone.tape._marks) <= 256
