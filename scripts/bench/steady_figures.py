"""A steady load: the product beside a bare picows relay, with few calls and with many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from statistics import median

from bridge_rounds import Sides
from figures import Figure, Table
from frames import Faults
from load import Plan, Sight
from options import Options
from processes import why_void_here
from provider import Manner

MOST_CORE_USE = 0.8
MARKS_MAY_DIFFER = 0.05
# The same code costs up to a fifth more or less from one minute to the next.
LEAST_RUNS = 3

COMPARED = {
    "cpu_ms_per_call_second": "at most 1.5 times",
    "added_delay_p50_ms": "",
    "added_delay_p99_ms": "under 5 on a quiet machine",
    "memory_kb_per_call": "under 80",
    "largest_gap_ms": "under 40",
    "largest_gap_of_all_ms": "",
    "frames_per_call_second": "50",
    "marks_per_call_second": "as many as the reference",
}
NEVER = ("provider_connections_left", "calls_failed", "strange_messages")


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the load saw in each round of either side."""

    ours: list[Sight]
    reference: list[Sight]

    def sides(self, summary: Callable[[list[float]], float], of: Callable[[Sight], float]) -> tuple[float, float]:
        """One number for ours and one for the reference."""
        return summary([of(seen) for seen in self.ours]), summary([of(seen) for seen in self.reference])


@cache
def usual(sides: Sides, options: Options) -> list[Rounds]:
    """The load with each number of calls, on either side; what other rounds compare theirs with."""
    return _beside(sides, Plan(calls=sorted(options.calls), seconds=options.seconds), max(options.runs, LEAST_RUNS))


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    for number, seen in zip(sorted(options.calls), usual(sides, options), strict=True):
        yield Table(f"{number} calls at once: what a call costs, and what it suffers", judge(seen))


def measure_tls(sides: Sides, options: Options) -> Iterator[Table]:
    [seen] = _beside(sides, _with_few_calls(options, Manner(certificate=sides.certificate)))
    bars = COMPARED | {"memory_kb_per_call": "under 160"}
    yield Table(f"TLS to the provider, {min(options.calls)} calls at once: what a call costs", judge(seen, bars))


def measure_talk(sides: Sides, options: Options) -> Iterator[Table]:
    [seen] = _beside(sides, _with_few_calls(options, Manner(talks=True)))
    bars = {name: bar for name, bar in COMPARED.items() if "gap" not in name}
    proves = f"A provider that talks in deltas of 200 ms, {min(options.calls)} calls at once: what a call costs"
    yield Table(proves, judge(seen, bars))


def _with_few_calls(options: Options, manner: Manner) -> Plan:
    return Plan(calls=[min(options.calls)], seconds=options.seconds, manner=manner)


def _beside(sides: Sides, plan: Plan, runs: int = 1) -> list[Rounds]:
    """One for each number of calls."""
    rounds = [Rounds([], []) for _ in plan.calls]
    for _ in range(runs):
        for each, seen in zip(rounds, sides.relay(list[Sight], plan), strict=True):
            each.reference.append(seen)
        for each, seen in zip(rounds, sides.product(list[Sight], plan), strict=True):
            each.ours.append(seen)
    return rounds


def judge(rounds: Rounds, bars: Mapping[str, str] = COMPARED) -> list[Figure]:
    """Medians of what is compared, and the worst of what must not happen at all."""
    void = why_void(rounds)
    return [
        *(_compared(rounds, name, bar, void) for name, bar in bars.items()),
        *(_never(rounds, name, attrgetter(name)) for name in NEVER),
        *(_never(rounds, f"frames_{kind.name}", attrgetter(f"faults.{kind.name}")) for kind in fields(Faults)),
        _worst(rounds, "load.core_use", attrgetter("core_use"), f"under {MOST_CORE_USE}", void),
        _worst(rounds, "load.clock_late_p99_ms", attrgetter("clock_late_p99_ms"), "", ""),
        _worst(rounds, "machine.elsewhere_use", attrgetter("elsewhere_use"), "0 on a quiet machine", ""),
    ]


def cpu_in_pairs(name: str, rounds: Rounds, bar: str) -> Figure:
    """Windows of one place in the two lists were measured together, or one after the other, and are compared with each
    other alone: the same work costs more or less from one minute to the next.
    """
    ours, reference = ([seen.cpu_ms_per_call_second for seen in side] for side in (rounds.ours, rounds.reference))
    times = [one / other for one, other in zip(ours, reference, strict=True)]
    note = f"median of {len(times)} pairs of windows, {min(times):.2f} to {max(times):.2f} times"
    alone = median(reference)
    return Figure(name, alone * median(times), alone, bar=bar, void=why_void(rounds), note=note)


def why_void(rounds: Rounds) -> str:
    """Why nothing may be concluded from these rounds; empty if it may."""
    if void := why_void_here():
        return void
    if max(rounds.sides(max, attrgetter("core_use"))) > MOST_CORE_USE:
        return f"the load used more than {MOST_CORE_USE} of its core"
    marks, reference_marks = rounds.sides(median, attrgetter("marks_per_call_second"))
    if abs(marks - reference_marks) > MARKS_MAY_DIFFER * reference_marks:
        return "the two sides did not carry the same number of marks"
    return ""


def _compared(rounds: Rounds, name: str, bar: str, void: str) -> Figure:
    return Figure(f"bridge.{name}", *rounds.sides(median, attrgetter(name)), bar=bar, void=void)


def _worst(rounds: Rounds, name: str, of: Callable[[Sight], float], bar: str, void: str) -> Figure:
    return Figure(name, *rounds.sides(max, of), bar=bar, void=void)


def _never(rounds: Rounds, name: str, of: Callable[[Sight], float]) -> Figure:
    ours, reference = rounds.sides(max, of)
    return Figure(f"bridge.{name}", ours, reference, bar="0", wrong=bool(ours or reference))
