"""Two participants with LiveKit's own client hear each other: level, pitch, delay."""

from __future__ import annotations

import asyncio

import pytest

from voiceapp.simulators.livekit.tests.media import LEVEL, join_token, level, loudest_hertz, participant
from voiceapp.simulators.livekit.tests.sides import Side

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]

ALICE, BOB = "caller-alice", "callee-bob"


async def test_two_people_hear_each_other_at_once_undistorted_and_soon(media_side: Side, room: str) -> None:
    """One has begun before the other comes."""
    async with participant(media_side, join_token(media_side, room, ALICE)) as alice:
        published = [await alice.publish()]
        async with participant(media_side, join_token(media_side, room, BOB)) as bob:
            published.append(await bob.publish())
            for publication in published:
                await asyncio.wait_for(publication.wait_for_subscription(), 5)
            await asyncio.gather(*(each.play(hertz=0, seconds=0.5) for each in (alice, bob)))
            began_s = await asyncio.gather(alice.play(hertz=440, seconds=1), bob.play(hertz=880, seconds=1))
            for listener, speaker, hertz, began in ((bob, ALICE, 440, began_s[0]), (alice, BOB, 880, began_s[1])):
                heard_s = listener.loud_since_s(speaker)
                assert heard_s is not None
                assert heard_s - began < 0.4
                middle = [each for each in listener.heard[speaker] if heard_s + 0.2 < each.at_s < heard_s + 0.7]
                assert abs(loudest_hertz(middle) - hertz) < 5
                assert 0.8 * LEVEL < level(middle) < 1.25 * LEVEL
