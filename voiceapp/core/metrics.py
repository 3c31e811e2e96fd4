"""Metrics of this process for Prometheus; metrics of the database are computed on request (voiceapp/metrics.py)."""

from __future__ import annotations

from collections import Counter as Sums
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram, Metric

live_calls = Gauge("voiceapp_live_calls", "Calls whose media socket is open in this process")
turn_response_seconds = Histogram(
    "voiceapp_turn_response_seconds",
    "End of the caller's speech to the first audio heard",
    buckets=(0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 5, 8),
)
max_live_calls = Gauge("voiceapp_max_live_calls", "Calls that this process may carry at once")
calls_refused = Counter("voiceapp_calls_refused_total", "Calls refused because a limit was reached", ["limit"])
tokens_refused = Counter("voiceapp_stream_tokens_refused_total", "Media streams refused at start", ["reason"])
signatures_refused = Counter(
    "voiceapp_signatures_refused_total", "Requests with a missing or wrong signature", ["endpoint"]
)
orders_submitted = Counter("voiceapp_orders_submitted_total", "Orders committed")
appointments_booked = Counter("voiceapp_appointments_booked_total", "Appointments committed")
tool_calls = Counter("voiceapp_tool_calls_total", "Tools run for a model", ["name", "outcome"])
vapi_messages = Counter("voiceapp_vapi_messages_total", "Genuine messages of VAPI's to our server URL", ["type"])
provider_links = Counter("voiceapp_provider_links_total", "Connections to the voice provider", ["result"])
idle_links = Gauge("voiceapp_idle_links", "Connections to the voice provider that wait for a call")
call_links = Counter("voiceapp_call_links_total", "Calls by their first connection: idle before, or new", ["kind"])
loop_lag_seconds = Gauge("voiceapp_loop_lag_seconds", "How late the event loop's ticker last was")
limit_counters_unavailable = Counter(
    "voiceapp_limit_counters_unavailable_total", "Requests that a rate limit counter could not count", ["counter"]
)
edge_refused = Counter(
    "voiceapp_edge_refused_total", "Requests and connections ended before the application ran", ["reason"]
)


@dataclass(slots=True)
class Samples:
    """Values of counters and histograms, by the sample's name and labels."""

    values: Sums[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=Sums)


def read_samples() -> Samples:
    """Those of this module, in this process."""
    counting = [each for each in globals().values() if isinstance(each, Counter | Histogram)]
    samples = [sample for each in counting for family in each.collect() for sample in family.samples]
    return Samples(Sums({(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}))


@dataclass(slots=True)
class DatabaseProcessSamples:
    """What the database process has counted: this one, and those before it."""

    now: Samples = field(default_factory=Samples)
    before: Samples = field(default_factory=Samples)

    def keep(self) -> None:
        """The process has ended; the next one counts from zero."""
        self.before.values.update(self.now.values)
        self.now = Samples()

    def added_to(self, families: Iterable[Metric]) -> Iterator[Metric]:
        """The families with these values added."""
        more = self.before.values + self.now.values
        by_name: dict[str, list[tuple[tuple[tuple[str, str], ...], float]]] = {}
        for (name, labels), value in more.items():
            by_name.setdefault(name, []).append((labels, value))
        for family in families:
            yield _with(family, by_name) if family.type in ("counter", "histogram") else family


def _with(family: Metric, by_name: dict[str, list[tuple[tuple[tuple[str, str], ...], float]]]) -> Metric:
    whole = Metric(family.name, family.documentation, family.type, family.unit)
    added = {
        (family.name + suffix, labels): value
        for suffix in ("_total", "_bucket", "_sum", "_count")
        for labels, value in by_name.get(family.name + suffix, ())
    }
    for sample in family.samples:
        key = sample.name, tuple(sorted(sample.labels.items()))
        whole.add_sample(sample.name, sample.labels, sample.value + added.pop(key, 0), sample.timestamp)
    for (name, labels), value in added.items():
        whole.add_sample(name, dict(labels), value)
    return whole


of_database_process = DatabaseProcessSamples()
