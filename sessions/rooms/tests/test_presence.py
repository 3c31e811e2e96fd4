"""Since when a call's two sides were there together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.rooms.presence import Presence, Side, together_since

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def there(side: Side, since: float, until: float | None = None) -> Presence:
    return Presence(side, at(since), None if until is None else at(until))


CALLER, CALLEE, AGENT, OTHER, MACHINE = Side.CALLER, Side.CALLEE, Side.AGENT, Side.OTHER, Side.MACHINE
UNAUTHORIZED = Side.UNAUTHORIZED


@pytest.mark.parametrize(
    ("presences", "since"),
    [
        ([], None),
        ([there(CALLER, 0)], None),
        ([there(AGENT, 0)], None),
        ([there(CALLER, 0), there(AGENT, 3)], 3),
        ([there(AGENT, 0), there(CALLER, 7)], 7),
        ([there(CALLER, 0), there(CALLEE, 5)], 5),
        ([there(CALLEE, 0), there(AGENT, 1)], None),
        ([there(CALLER, 0), there(CALLER, 1)], None),
        ([there(CALLER, 0, 4), there(AGENT, 5)], None),
        ([there(CALLER, 0, 5), there(AGENT, 5)], None),
        ([there(AGENT, 0, 4), there(CALLER, 6)], None),
        ([there(AGENT, 0), there(CALLER, 6, 6)], 6),
        ([there(AGENT, 0, 6), there(CALLER, 6, 6)], None),
        ([there(AGENT, 6), there(CALLER, 6, 6)], 6),
        ([there(AGENT, 6.1), there(CALLER, 6, 6)], None),
        ([there(CALLER, 0, 4), there(AGENT, 3, 9)], 3),
        ([there(CALLER, 0, 2), there(AGENT, 3), there(CALLER, 8)], 8),
        ([there(CALLER, 8), there(AGENT, 3), there(CALLER, 0, 4)], 3),
        ([there(CALLER, 0), there(AGENT, 9), there(CALLEE, 4)], 4),
        ([there(CALLER, 0), there(MACHINE, 1)], None),
    ],
)
def test_it_is_the_first_time_with_both_present(presences: list[Presence], since: float | None) -> None:
    expected = None if since is None else at(since)
    assert together_since(presences, is_conference=False) == expected
    assert together_since(reversed(presences), is_conference=False) == expected


@pytest.mark.parametrize("is_conference", [False, True])
def test_of_two_parties_on_the_callers_side_one_is_somebody_to_talk_to(is_conference: bool) -> None:
    first, again = (Presence(CALLER, at(since), party="one") for since in (0, 3))
    second, left = Presence(CALLER, at(5), party="two"), Presence(CALLER, at(2), at(3), party="two")
    for presences, since in (
        ([first, again], None),
        ([first, second], 5),
        ([second, again, first], 5),
        ([again, left], None),
        ([first, left], 2),
    ):
        expected = None if since is None else at(since)
        assert together_since(presences, is_conference=is_conference) == expected


@pytest.mark.parametrize("is_conference", [False, True])
def test_a_stranger_cannot_become_the_recipient(is_conference: bool) -> None:
    presences = [there(CALLER, 0), there(UNAUTHORIZED, 1)]
    assert together_since(presences, is_conference=is_conference) is None


@pytest.mark.parametrize(("is_conference", "since"), [(False, None), (True, 2)])
def test_anybody_else_counts_in_a_conference_alone(is_conference: bool, since: float | None) -> None:
    presences = [there(CALLER, 0), there(OTHER, 2), there(MACHINE, 1)]
    assert together_since(presences, is_conference=is_conference) == (None if since is None else at(since))


STAYS = st.builds(
    lambda side, since, stay: there(side, since, None if stay is None else since + stay),
    st.sampled_from(Side),
    st.integers(0, 30),
    st.none() | st.integers(1, 10),
)


@given(presences=st.lists(STAYS, max_size=8), is_conference=st.booleans())
def test_it_is_what_a_look_at_every_second_finds(presences: list[Presence], is_conference: bool) -> None:
    partners = {CALLEE, AGENT, OTHER} if is_conference else {CALLEE, AGENT}

    def sides(time: datetime) -> set[Side]:
        return {each.side for each in presences if each.since <= time and (not each.until or time < each.until)}

    seconds = [second for second in range(40) if CALLER in sides(at(second)) and sides(at(second)) & partners]
    assert together_since(presences, is_conference=is_conference) == (at(seconds[0]) if seconds else None)
