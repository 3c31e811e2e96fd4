"""How rates are read, and that windows are django-ratelimit's."""

from __future__ import annotations

import time

import pytest
import time_machine
from django_ratelimit.core import get_usage

from voiceapp.core.limits.limit import Rate, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/h", Rate(10, 3600)),
        ("100/15m", Rate(100, 900)),
        ("3/m", Rate(3, 60)),
        ("1/s", Rate(1, 1)),
        ("2/7d", Rate(2, 604_800)),
        (" 5/30s ", Rate(5, 30)),
    ],
)
def test_a_rate_is_a_count_and_a_time(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "10", "0/h", "10/0m", "-1/h", "10/x", "10/15min", "10/h/h", "h/10", "1.5/h", "10/H", "10 / h", "١/h"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        parse_rate(text)


@pytest.mark.usefixtures("in_memory")
@pytest.mark.parametrize("period_s", [1, 2, 60, 900, 3600, 86_400])
def test_windows_end_when_django_ratelimits_do(period_s: int) -> None:
    rate = Rate(5, period_s)
    for second in range(0, 3 * period_s, max(1, period_s // 7)):
        with time_machine.travel(1_795_000_000 + second, tick=False):
            for who in ("subject:1", "tenant:ü", "address:2001:db8::/64"):
                usage = get_usage(None, group="x", key=lambda *_, who=who: who, rate=(5, period_s))
                now_s = int(time.time())
                assert rate.window_ends_at(who, now_s) == now_s + usage["time_left"]


def test_a_window_is_open_for_its_period_and_then_the_next_one_begins() -> None:
    rate = Rate(1, 60)
    ends = [rate.window_ends_at("subject:1", 1_795_000_000 + second) for second in range(120)]
    assert all(end >= 1_795_000_000 + second for second, end in enumerate(ends))
    whole = [end for end in set(ends) if ends.count(end) == 60]
    assert whole
    assert all(later - earlier == 60 for earlier, later in zip(sorted(set(ends)), sorted(set(ends))[1:], strict=False))
