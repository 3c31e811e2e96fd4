"""The simulated SIP service: a phone is dialed into a room, rings, and is answered or not.

As at livekit/sip the participant is in the room while the phone rings; `sip.callStatus` says when it is answered.
"""

from __future__ import annotations

from livekit.protocol.models import DisconnectReason, ParticipantInfo
from livekit.protocol.sip import CreateSIPParticipantRequest, SIPParticipantInfo

from voiceapp.simulators.livekit.clock import Clock
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms
from voiceapp.simulators.livekit.tokens import TokenClaims
from voiceapp.simulators.livekit.twirp import Method, TwirpCall, TwirpError

TRUNK = "ST_simulated"
STATUS = "sip.callStatus"
_DEFAULT_RINGING_S = 30


class SipService:
    """`answers_after_s`: how long a phone rings. `dialed`: every request that was accepted."""

    def __init__(self, rooms: Rooms, clock: Clock, *, answers_after_s: float) -> None:
        self.answers_after_s = answers_after_s
        self.dialed: list[CreateSIPParticipantRequest] = []
        self._rooms, self._clock = rooms, clock

    @property
    def methods(self) -> dict[tuple[str, str], Method]:
        return {("livekit.SIP", "CreateSIPParticipant"): Method(CreateSIPParticipantRequest, self.dial)}

    async def dial(self, call: TwirpCall, request: CreateSIPParticipantRequest) -> SIPParticipantInfo:
        if call.claims.sip.get("call") is not True:
            raise TwirpError("unauthenticated", "permissions denied")
        room = self._rooms.get(request.room_name)
        faults = room.faults | call.faults
        if "redis_required" in faults:
            raise TwirpError("internal", "sip not connected (redis required)")
        if request.sip_trunk_id != TRUNK:
            raise TwirpError("not_found", "requested sip trunk does not exist")
        claims = TokenClaims(
            identity=request.participant_identity,
            name=request.participant_name,
            kind="sip",
            attributes={STATUS: "dialing"},
            video={"room": room.name, "roomJoin": True},
        )
        participant = self._rooms.join(room, claims, ParticipantInfo.Kind.SIP)
        self.dialed.append(request)
        self._rings(room, participant, request, faults)
        return SIPParticipantInfo(
            participant_id=participant.sid,
            participant_identity=participant.identity,
            room_name=room.name,
            sip_call_id=new_id("SCL"),
        )

    def _rings(
        self,
        room: OpenRoom,
        participant: ParticipantInfo,
        request: CreateSIPParticipantRequest,
        faults: LiveKitFaults,
    ) -> None:
        def answered() -> None:
            if _is_there(room, participant):
                participant.attributes[STATUS] = "active"
                self._rooms.publish(room, participant.identity, "microphone")

        def gone(reason: DisconnectReason) -> None:
            if _is_there(room, participant):
                self._rooms.leave(room, participant.identity, reason)

        if "phone_rings" in faults:
            ringing_s = request.ringing_timeout.seconds or _DEFAULT_RINGING_S
            self._clock.call_later(ringing_s, lambda: gone(DisconnectReason.USER_UNAVAILABLE))
        elif "phone_busy" in faults:
            self._clock.call_later(self.answers_after_s, lambda: gone(DisconnectReason.USER_REJECTED))
        elif "trunk_fails" in faults:
            self._clock.call_later(self.answers_after_s, lambda: gone(DisconnectReason.SIP_TRUNK_FAILURE))
        else:
            self._clock.call_later(self.answers_after_s, answered)


def _is_there(room: OpenRoom, participant: ParticipantInfo) -> bool:
    return room.participants.get(participant.identity) is participant
