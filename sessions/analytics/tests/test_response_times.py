"""Percentiles of response times out of buckets that can be added."""

from __future__ import annotations

from math import ceil
from random import Random

import pytest

from sessions.analytics.response_times import BOUNDS_MS, BUCKETS, GREATEST_ERROR, bucket_of, percentile_ms


def counted(times: list[int]) -> list[int]:
    counts = [0] * BUCKETS
    for each in times:
        counts[bucket_of(each)] += 1
    return counts


@pytest.mark.parametrize("seed", range(20))
def test_percentiles_are_as_exact_as_the_page_says(seed: int) -> None:
    chance = Random(seed)
    spread = chance.uniform(0.05, 0.6)
    scale = [chance.lognormvariate(6.7, spread) for _ in range(chance.randint(1, 400))]
    times = [min(max(round(each), BOUNDS_MS[0]), BOUNDS_MS[-1] - 1) for each in scale]
    for percent in (50, 95):
        exact = sorted(times)[ceil(len(times) * percent / 100) - 1]
        said = percentile_ms(counted(times), percent)
        assert said is not None
        assert abs(said / exact - 1) <= GREATEST_ERROR


def test_what_is_off_the_scale_counts_as_its_end() -> None:
    assert percentile_ms(counted([1, 2, 3]), 50) == BOUNDS_MS[0]
    assert percentile_ms(counted([60_000]), 95) == BOUNDS_MS[-1]
    assert percentile_ms(counted([]), 50) is None
