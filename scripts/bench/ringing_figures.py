"""Ringing: what live calls notice of others that begin and end."""

from __future__ import annotations

from collections.abc import Iterator

from bridge_rounds import Sides
from figures import Figure, Table
from load import Plan
from options import Options
from ringing import LATE_S, RINGS_PER_S, Ringing


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    plan = Plan(round="ringing", calls=[max(options.calls)], seconds=options.seconds)
    reference = sides.relay(Ringing, plan)
    ours = sides.product(Ringing, plan, settings={"DATABASE_PROCESS": "true"})
    yield Table(
        f"{RINGS_PER_S} calls ring per second beside {max(options.calls)} live ones: no frame of these is more than "
        f"{LATE_S * 1000:.0f} ms late (the reference has no webhook, no signature and no database)",
        judge(ours, reference),
    )


def judge(ours: Ringing, reference: Ringing) -> list[Figure]:
    never = {
        "frames_harmed": (ours.faults.total(), reference.faults.total()),
        "calls_failed": (ours.calls_failed, reference.calls_failed),
        "strange_messages": (ours.strange_messages, reference.strange_messages),
        "provider_connections_left": (ours.provider_connections_left, reference.provider_connections_left),
        "refused": (ours.refused, reference.refused),
    }
    return [
        Figure("ringing.frames_late", ours.frames_late, reference.frames_late, bar="0"),
        Figure("ringing.latest_frame_ms", ours.latest_ms, reference.latest_ms, bar="under 20"),
        Figure("ringing.added_delay_p99_ms", ours.window.added_delay_p99_ms, reference.window.added_delay_p99_ms),
        Figure("ringing.rung", ours.rung, reference.rung),
        Figure("ringing.ring_p99_ms", ours.ring_p99_ms, reference.ring_p99_ms),
        *(Figure(f"ringing.{name}", *sides, bar="0", wrong=any(sides)) for name, sides in never.items()),
        Figure("load.core_use", ours.window.core_use, reference.window.core_use, bar="under 0.8"),
        Figure("load.clock_latest_ms", ours.clock_latest_ms, reference.clock_latest_ms),
        Figure("machine.elsewhere_use", ours.window.elsewhere_use, reference.window.elsewhere_use),
    ]
