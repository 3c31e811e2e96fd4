"""One end of a WebRTC connection, on this machine alone."""

from __future__ import annotations

import json

import aioice.ice
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceCandidate, RTCPeerConnection
from aiortc.sdp import candidate_from_sdp

#: One transport for audio and data.
_CONFIGURATION = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)


def _only_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return ["127.0.0.1"]


# aioice takes every interface but loopback, and has no setting for it.
aioice.ice.get_host_addresses = _only_loopback


class Peer:
    """A connection and the candidates of its other end, which may arrive before they can be used."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(_CONFIGURATION)
        self._early: list[RTCIceCandidate] = []
        self._is_described = False

    async def add_candidate(self, candidate_init: str) -> None:
        """As JSON of the browser. TCP and names that only multicast resolves are of no use here."""
        candidate = _read_candidate(candidate_init)
        if candidate is None:
            return
        if not self._is_described:
            self._early.append(candidate)
        elif self.connection.signalingState != "closed":
            await self.connection.addIceCandidate(candidate)

    async def use_early_candidates(self) -> None:
        """Call it after each remote description."""
        self._is_described = True
        while self._early:
            await self.connection.addIceCandidate(self._early.pop(0))

    async def close(self) -> None:
        await self.connection.close()


def _read_candidate(candidate_init: str) -> RTCIceCandidate | None:
    try:
        given = json.loads(candidate_init)
        text = str(given.get("candidate") or "").removeprefix("candidate:")
        candidate = candidate_from_sdp(text) if text else None
    except (ValueError, AttributeError, AssertionError, IndexError):
        return None
    if candidate is None or candidate.protocol.lower() != "udp" or candidate.ip.endswith(".local"):
        return None
    candidate.sdpMid, candidate.sdpMLineIndex = given.get("sdpMid"), given.get("sdpMLineIndex")
    return candidate
