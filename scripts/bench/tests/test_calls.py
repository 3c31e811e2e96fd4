"""The places of the callers on the clock."""

from calls import spread


def test_the_first_callers_of_many_places_are_spread_evenly() -> None:
    for taken in (2, 5, 50, 200):
        places = sorted(spread(800)[:taken])
        gaps = [later - sooner for sooner, later in zip(places, [*places[1:], places[0] + 800], strict=True)]
        assert max(gaps) < 3 * 800 / taken


def test_every_place_is_given_once() -> None:
    assert sorted(spread(77)) == list(range(77))
