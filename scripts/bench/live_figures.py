"""Live calls that 50 operators watch from another process: what it costs the calls, and how soon words are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from operator import attrgetter
from statistics import median

from bridge_rounds import play
from figures import Figure, Table
from load import Audience, Plan
from options import Options
from processes import cores
from product import Product
from provider import Manner
from servers import free_port
from steady_figures import Rounds, cpu_in_pairs, why_void
from watched import Watched

CALLS, OPERATORS = 100, 50
# As often as an agent's words come while it speaks.
CAPTIONS_EVERY_S = 0.5
BAR_MS = "under 300"


def measure(product: Product, options: Options) -> Iterator[Table]:
    product = product.another("live")
    sessions = json.loads(
        product.run("scripts/bench/operators.py", product.line.org_id, str(OPERATORS)).splitlines()[-1]
    )
    carrying, core = cores()
    with ExitStack() as stack:
        media = [
            stack.enter_context(product.serve(carrying, port=free_port(), KEEP_GREETINGS="false")) for _ in range(2)
        ]
        web = stack.enter_context(product.serve(core))
        plan = Plan(
            pids=[each.pid for each in media],
            provider_port=product.provider_port,
            round="watched",
            calls=[2 * CALLS],
            seconds=options.seconds,
            webhooks=[each.webhook for each in media],
            dialed=media[0].dialed,
            manner=Manner(captions_every_s=CAPTIONS_EVERY_S),
            audience=Audience(web.webhook.partition("/twiml")[0], sessions, str(product.database)),
        )
        seen = play(Watched, plan, TWILIO_AUTH_TOKEN=product.auth_token)
    yield Table(f"{OPERATORS} operators watch {CALLS} calls of another process", judge(seen))


def judge(seen: Watched) -> list[Figure]:
    """The reference are as many calls that nobody watches; medians."""
    rounds = Rounds(seen.watched, seen.unwatched)
    void = why_void(rounds)
    faults = max(each.faults.total() + each.calls_failed for each in seen.watched + seen.unwatched)
    without = seen.calls_without_captions
    delay = median(each.added_delay_p99_ms for each in seen.watched)  # of both halves
    return [
        Figure("live.caption_p50_ms", seen.caption_p50_ms, bar=BAR_MS, void=void),
        Figure("live.caption_p95_ms", seen.caption_p95_ms, bar=BAR_MS, void=void, note=f"{seen.captions} captions"),
        Figure("live.calls_without_captions", without, bar="0", wrong=without > 0),
        cpu_in_pairs("live.cpu_ms_per_call_second", rounds, "at most 1.05 times"),
        Figure("live.added_delay_p99_ms", delay, bar="under 5 on a quiet machine", void=void),
        Figure("live.frames_that_suffered", faults, bar="0", wrong=faults > 0),
        Figure("load.core_use", *rounds.sides(max, attrgetter("core_use"))),
        Figure("machine.elsewhere_use", *rounds.sides(max, attrgetter("elsewhere_use")), bar="0 on a quiet machine"),
    ]
