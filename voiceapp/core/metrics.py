"""Metrics of this process for Prometheus; metrics of the database are computed on request (voiceapp/metrics.py)."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
