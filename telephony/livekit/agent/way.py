"""How long sound is under way between the agent and the caller in a room, both ways, measured while it is recorded.

The agent's own client counts how long the caller's sound waits here. How long the agent's waits at the caller's, only
their client knows: our call page reports it, several times a second, as a packet of a topic of our own.
"""

from __future__ import annotations

import asyncio
import time

import msgspec
import structlog
from livekit import rtc

from .buffer_delay import BufferDelay, Counted

logger = structlog.get_logger("room_agent")

TOPIC = "voiceapp.waiting"
WITHIN_S = 1.0
# Round trips change slowly, and each look at statistics costs a millisecond of CPU time.
ROUND_TRIP_EVERY = 10
MOST_BYTES = 400
# More reports than the page sends say nothing new.
LEAST_BETWEEN_S = 0.03
# From the first sample of a packet to its way out of the buffer, but for the waiting: a packet of 20 ms is sent when it
# is complete, and Opus decodes 6.5 ms late; whole frames of 20 ms are handed over, whose first half was there 10 ms
# before. Measured with LiveKit's client and server: 13 to 17 ms.
CODING_HERE_S = 0.015
CODING_THERE_S = 0.025
# No device and no round trip of a call is slower.
LONGEST_S = 1.0


class Waiting(msgspec.Struct, forbid_unknown_fields=True):
    """A report of the caller's client, of the agent's sound. As WebRTC's statistics have it: `jitterBufferDelay`,
    `jitterBufferEmittedCount`; `added_s` is what was concealed and inserted, less what was removed. `round_trip_s` to
    the server, and `device_s` from the buffer to the ear.
    """

    waited_s: float
    taken: float
    added_s: float
    round_trip_s: float = 0.0
    device_s: float = 0.0


class Way:
    """Times are those of `time.time`. Without reports, the way there is taken to be as long as the way here."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._identity = ""
        self._here, self._there = BufferDelay(), BufferDelay()
        self._reported_s = 0.0
        self._looks = 0
        self._round_trip_s = self._their_round_trip_s = self._device_s = 0.0
        room.on("data_received", self._on_data)

    def listen_to(self, identity: str) -> None:
        """To this participant alone; of one who joined twice, to the latest."""
        if identity != self._identity:
            self._there = BufferDelay()
        self._identity = identity

    def spoken_at(self, received_s: float) -> float:
        """When the caller spoke what is received then. Exact a moment later (buffer_delay.py)."""
        return received_s - (self._here.at(received_s) or 0.0) - CODING_HERE_S - self._network_s

    def heard_at(self, sent_s: float) -> float:
        """When the caller hears what is sent then."""
        at_s = sent_s + CODING_THERE_S + self._network_s + self._device_s
        waiting_s = self._waiting_there_s(at_s)
        return at_s + self._waiting_there_s(at_s + waiting_s)

    async def measure(self) -> None:
        """What is counted until now."""
        if not self._room.isconnected():
            return
        caller = self._room.remote_participants.get(self._identity)
        tracks: list[rtc.Track | None] = []
        if caller is not None:
            tracks += [each.track for each in caller.track_publications.values()]
        if self._looks % ROUND_TRIP_EVERY == 0:
            tracks += [each.track for each in self._room.local_participant.track_publications.values()]
        self._looks += 1
        for track in tracks:
            if track is not None and track.kind == rtc.TrackKind.KIND_AUDIO:
                await self._measure(track)

    async def _measure(self, track: rtc.Track) -> None:
        at_s = time.time()
        try:
            found = await asyncio.wait_for(track.get_stats(), WITHIN_S)
        except Exception as fault:  # noqa: BLE001  # the client raises nothing narrower; the track may be gone
            logger.info("way not measured", fault=str(fault) or type(fault).__name__)
            return
        for each in found:
            if each.HasField("inbound_rtp"):
                counts = each.inbound_rtp.inbound
                added = counts.concealed_samples + counts.inserted_samples_for_deceleration
                added_s = (added - counts.removed_samples_for_acceleration) / 48_000
                taken = counts.jitter_buffer_emitted_count
                self._here.add(Counted(at_s, counts.jitter_buffer_delay, taken, added_s))
            elif each.HasField("remote_inbound_rtp"):
                self._round_trip_s = _bounded(each.remote_inbound_rtp.remote_inbound.round_trip_time)

    def _on_data(self, packet: rtc.DataPacket) -> None:
        sender, at_s = packet.participant, time.time()
        if packet.topic != TOPIC or sender is None or sender.identity != self._identity:
            return
        if len(packet.data) > MOST_BYTES or at_s - self._reported_s < LEAST_BETWEEN_S:
            return
        try:
            report = msgspec.json.decode(packet.data, type=Waiting)
        except msgspec.MsgspecError:
            return
        self._reported_s = at_s
        self._there.add(Counted(at_s, report.waited_s, report.taken, report.added_s))
        self._their_round_trip_s = _bounded(report.round_trip_s)
        self._device_s = _bounded(report.device_s)

    def _waiting_there_s(self, at_s: float) -> float:
        there = self._there.at(at_s)
        return (self._here.at(at_s) or 0.0) if there is None else there

    @property
    def _network_s(self) -> float:
        """One way: each of the two has half a round trip to the server."""
        return (self._round_trip_s + self._their_round_trip_s) / 2


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S)
