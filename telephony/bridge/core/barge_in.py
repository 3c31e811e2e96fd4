"""Barge-in: stop the agent's audio, and truncate each item to what the caller heard."""

from __future__ import annotations

from .ports import AgentDialect, Ledger
from .transcript import Transcript


def interrupt(playout: Ledger, agent: AgentDialect, transcript: Transcript, *, server_stops_itself: bool) -> int | None:
    """Returns how many ms of the item being spoken were heard, or None when the caller had heard everything."""
    cuts = playout.interrupt()
    missing = [cut for cut in cuts if cut.is_missing_something and not cut.item.is_local]
    agent.stop_talking(server_stops_itself=server_stops_itself)
    for cut in missing:
        cut.item.is_dropped = True
        heard_text = transcript.cut_to(cut)
        agent.truncate(cut.item, cut.heard_ms, heard_text)
    return missing[0].heard_ms if missing else None
