"""The clock of the load: everybody speaks fifty times a second, and no two at once."""

import asyncio
from time import perf_counter

from clock import FrameClock


class Speaker:
    is_speaking = True

    def __init__(self) -> None:
        self.spoke_at: list[float] = []

    def speak(self) -> None:
        self.spoke_at.append(perf_counter())


async def hear(speakers: list[Speaker], *, seconds: float) -> FrameClock:
    clock = FrameClock(speakers)
    running = asyncio.create_task(clock.run())
    await asyncio.sleep(seconds)
    clock.stop()
    await running
    return clock


def test_all_speak_equally_often_and_fifty_times_a_second() -> None:
    speakers = [Speaker() for _ in range(5)]
    asyncio.run(hear(speakers, seconds=0.4))
    spoken = {len(speaker.spoke_at) for speaker in speakers}
    assert len(spoken) == 1
    assert spoken <= set(range(20, 30))


def test_the_frames_of_different_callers_are_spread_over_the_twenty_milliseconds() -> None:
    def usual_gap_ms() -> float:
        speakers = [Speaker() for _ in range(4)]
        asyncio.run(hear(speakers, seconds=0.4))
        first, second = speakers[0].spoke_at, speakers[1].spoke_at
        gaps_ms = sorted((later - sooner) * 1000 for sooner, later in zip(first, second, strict=True))
        return gaps_ms[len(gaps_ms) // 2]

    # Its times are the subject. A busy machine makes it late, which gets another chance; a wrong one is never right.
    assert any(4 < usual_gap_ms() < 6 for _ in range(20))


def test_a_caller_who_is_not_connected_is_passed_over() -> None:
    silent, loud = Speaker(), Speaker()
    silent.is_speaking = False
    asyncio.run(hear([silent, loud], seconds=0.1))
    assert not silent.spoke_at
    assert loud.spoke_at


def test_lateness_is_known_for_every_slot() -> None:
    speakers = [Speaker() for _ in range(5)]
    clock = asyncio.run(hear(speakers, seconds=0.2))
    assert len(clock.lateness) == sum(len(speaker.spoke_at) for speaker in speakers)
    assert min(clock.lateness) >= 0
