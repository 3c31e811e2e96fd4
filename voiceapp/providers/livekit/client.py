"""LiveKit: rooms, who is in them, dispatched agents, recordings, tokens for joining, and its webhooks.

Every method that asks LiveKit blocks, has a time limit and raises LiveKitError.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Self, TypeVar

import aiohttp
from django.conf import settings
from google.protobuf.message import DecodeError
from livekit import api
from livekit.protocol.egress import AudioMixing

from .errors import LiveKitError, LiveKitErrorKind, error_of
from .fields import check_metadata, check_name, check_timeout, fit_display_name
from .loop import loop_thread
from .values import AgentDispatch, Participant, Room, RoomRecording, dispatch_of, participant_of, recording_of, room_of
from .webhooks import LiveKitEvent, verify_webhook

T = TypeVar("T")

ANSWER_WITHIN_S = 5.0
# LiveKit looks for a machine that records before it answers.
RECORDING_WITHIN_S = 10.0
# How long a room stays open after its last person has left. Agents and recorders do not keep it open.
DEPARTURE_TIMEOUT_S = 20
# It guards the joining only; who has joined stays.
JOIN_WITHIN_S = 600
# AttributeError: livekit-api stumbles over an error's body that is JSON but no object.
FAULTS = (api.ServerError, aiohttp.ClientError, TimeoutError, OSError, DecodeError, AttributeError)
FILE_TYPES = {"mp4": api.EncodedFileType.MP4, "ogg": api.EncodedFileType.OGG}


# No worker may register under this name.
NO_AGENT_NAME = "no-agent-wanted"


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """Which agent shall join, by the name of its workers."""

    agent_name: str
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class S3Storage:
    """Where LiveKit's recording machine puts its file. `endpoint` only where it is not Amazon's own."""

    bucket: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    endpoint: str = ""


class LiveKitClient:
    """One LiveKit project. Cheap to make: what it needs of sockets is shared by the whole process."""

    def __init__(self, *, url: str, api_key: str, api_secret: str, browser_url: str = "") -> None:
        """`url` is for our own requests (ws and wss will do), `browser_url` is what browsers are told."""
        if not (url and api_key and api_secret):
            raise LiveKitError(
                LiveKitErrorKind.NOT_CONFIGURED, "LIVEKIT_HOST, LIVEKIT_API_KEY or LIVEKIT_API_SECRET is not set"
            )
        self.browser_url = browser_url or url
        self._url, self._api_key, self._api_secret = url, api_key, api_secret

    @classmethod
    def from_settings(cls) -> Self:
        return cls(
            url=settings.LIVEKIT_INTERNAL_URL or settings.LIVEKIT_HOST,
            api_key=settings.LIVEKIT_API_KEY,
            api_secret=settings.LIVEKIT_API_SECRET,
            browser_url=settings.LIVEKIT_HOST,
        )

    # rooms

    def create_room(
        self,
        name: str,
        *,
        metadata: str = "",
        empty_timeout_s: int = 300,
        departure_timeout_s: int = DEPARTURE_TIMEOUT_S,
        max_participants: int = 0,
        agent: AgentRequest | None = None,
    ) -> Room:
        """Make it; an open one of that name is returned unchanged. A timeout of 0 means LiveKit's default.

        A dispatch is always named. LiveKit adds one without a name to a room that is made with none, and any worker
        without a name would join (livekit-server 1.13.5).
        """
        dispatched = agent or AgentRequest(NO_AGENT_NAME)
        request = api.CreateRoomRequest(
            name=check_name(name, "a room's name"),
            metadata=check_metadata(metadata),
            empty_timeout=check_timeout(empty_timeout_s),
            departure_timeout=check_timeout(departure_timeout_s),
            max_participants=max_participants,
            agents=[
                api.RoomAgentDispatch(
                    agent_name=check_name(dispatched.agent_name, "an agent's name"),
                    metadata=check_metadata(dispatched.metadata),
                )
            ],
        )
        return room_of(self._ask(self._api.room.create_room(request)))

    def find_room(self, name: str) -> Room | None:
        return next(iter(self.list_rooms([name])), None)

    def list_rooms(self, names: Sequence[str]) -> tuple[Room, ...]:
        """Those of these names that are open."""
        if not names:
            return ()  # LiveKit would list all there are
        rooms = self._ask(self._api.room.list_rooms(api.ListRoomsRequest(names=names))).rooms
        return tuple(room_of(room) for room in rooms if room.name in names)

    def delete_room(self, name: str) -> bool:
        """Close it and disconnect everybody. False if there was none."""
        return self._was_there(self._api.room.delete_room(api.DeleteRoomRequest(room=name)))

    def list_participants(self, room: str) -> tuple[Participant, ...]:
        """Who is in it, agents and recorders too. Nobody if there is no such room."""
        answer = self._ask(self._api.room.list_participants(api.ListParticipantsRequest(room=room)))
        return tuple(map(participant_of, answer.participants))

    def remove_participant(self, room: str, identity: str) -> bool:
        """Disconnect; the token stays good until it expires. False if nobody of that identity was there."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        return self._was_there(self._api.room.remove_participant(request))

    # agents

    def create_dispatch(self, room: str, agent: AgentRequest) -> AgentDispatch:
        """Ask for an agent. Not idempotent; it succeeds although no worker may be there to join."""
        request = api.CreateAgentDispatchRequest(
            room=check_name(room, "a room's name"),
            agent_name=check_name(agent.agent_name, "an agent's name"),
            metadata=check_metadata(agent.metadata),
        )
        return dispatch_of(self._ask(self._api.agent_dispatch.create_dispatch(request)))

    def list_dispatches(self, room: str) -> tuple[AgentDispatch, ...]:
        """Those of an open room that ask for an agent; for a room that is not open, LiveKit answers nothing: AWAY."""
        dispatches = map(dispatch_of, self._ask(self._api.agent_dispatch.list_dispatch(room)))
        return tuple(each for each in dispatches if each.agent_name != NO_AGENT_NAME)

    def get_dispatch(self, room: str, dispatch_id: str) -> AgentDispatch | None:
        found = self._ask(self._api.agent_dispatch.get_dispatch(dispatch_id, room))
        return dispatch_of(found) if found else None

    def delete_dispatch(self, room: str, dispatch_id: str) -> bool:
        """End its jobs: the agent leaves. False if there was none."""
        return self._was_there(self._api.agent_dispatch.delete_dispatch(dispatch_id, room))

    # recordings

    def start_room_recording(
        self, room: str, *, filepath: str, file_type: Literal["mp4", "ogg"] = "mp4", storage: S3Storage | None = None
    ) -> RoomRecording:
        """Record the room's sound, the agent on a channel of its own; without `storage` where the recorder keeps files.

        Start it once a track is published: before, LiveKit may abort it. Raises NO_RECORDER at once where there is no
        egress: a LiveKit without it looks for a recorder for 21 s, but says so when it lists recordings (1.13.5).
        """
        self.list_recordings(room, is_active=True)
        output = api.EncodedFileOutput(file_type=FILE_TYPES[file_type], filepath=filepath)
        if storage:
            output.s3.CopyFrom(_upload(storage))
        # No layout and no address of our own: then LiveKit records without a browser.
        request = api.RoomCompositeEgressRequest(
            room_name=room, audio_only=True, audio_mixing=AudioMixing.DUAL_CHANNEL_AGENT, file_outputs=[output]
        )
        return self._recording(self._api.egress.start_room_composite_egress(request))

    def stop_recording(self, egress_id: str) -> RoomRecording:
        """Its file comes later. Raises ALREADY_OVER and NOT_FOUND."""
        return self._recording(self._api.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))

    def find_recording(self, egress_id: str) -> RoomRecording | None:
        answer = self._ask(self._api.egress.list_egress(api.ListEgressRequest(egress_id=egress_id)))
        return next((recording_of(item) for item in answer.items if item.egress_id == egress_id), None)

    def list_recordings(self, room: str = "", *, is_active: bool = False) -> tuple[RoomRecording, ...]:
        """Those of a room, or of all; the active ones only, if asked. LiveKit forgets those that ended long ago."""
        request = api.ListEgressRequest(room_name=room, active=is_active)
        return tuple(map(recording_of, self._ask(self._api.egress.list_egress(request)).items))

    # tokens: no request, so no error of LiveKit's

    def join_token(self, *, room: str, identity: str, name: str = "", ttl_s: int = JOIN_WITHIN_S) -> str:
        """For a person: this one room, to hear and to publish a microphone. Readable by whoever holds it."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_subscribe=True,
            can_publish=True,
            can_publish_sources=["microphone"],
            can_publish_data=False,
            can_update_own_metadata=False,
        )
        return self._token(grants, identity=identity, name=name, ttl_s=ttl_s).to_jwt()

    def agent_token(self, *, room: str, identity: str, name: str = "", ttl_s: int = JOIN_WITHIN_S) -> str:
        """For an agent that joins by itself: it speaks, sends text and shows its state."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            agent=True,
            can_subscribe=True,
            can_publish=True,
            can_publish_sources=["microphone"],
            can_publish_data=True,
            can_update_own_metadata=True,
        )
        return self._token(grants, identity=identity, name=name, ttl_s=ttl_s).with_kind("agent").to_jwt()

    # webhooks

    def verify_webhook(self, body: bytes, authorization: str) -> LiveKitEvent:
        """Over the raw body. Raises SignatureRefused and nothing else."""
        return verify_webhook(body, authorization, api_key=self._api_key, api_secret=self._api_secret)

    # how

    @property
    def _api(self) -> api.LiveKitAPI:
        return loop_thread().client(self._url, api_key=self._api_key, api_secret=self._api_secret)

    def _ask(self, work: Coroutine[Any, Any, T], *, within_s: float | None = None) -> T:
        try:
            return loop_thread().run(work, within_s=within_s or ANSWER_WITHIN_S)
        except FAULTS as fault:
            raise error_of(fault) from fault

    def _was_there(self, work: Coroutine[Any, Any, object]) -> bool:
        try:
            self._ask(work)
        except LiveKitError as error:
            if error.kind is LiveKitErrorKind.NOT_FOUND:
                return False
            raise
        return True

    def _recording(self, work: Coroutine[Any, Any, api.EgressInfo]) -> RoomRecording:
        return recording_of(self._ask(work, within_s=RECORDING_WITHIN_S))

    def _token(self, grants: api.VideoGrants, *, identity: str, name: str, ttl_s: int) -> api.AccessToken:
        check_name(grants.room, "a room's name")
        token = api.AccessToken(self._api_key, self._api_secret).with_identity(check_name(identity, "an identity"))
        return token.with_name(fit_display_name(name)).with_ttl(timedelta(seconds=ttl_s)).with_grants(grants)


def _upload(storage: S3Storage) -> api.S3Upload:
    return api.S3Upload(
        bucket=storage.bucket,
        region=storage.region,
        access_key=storage.access_key,
        secret=storage.secret_key,
        session_token=storage.session_token,
        endpoint=storage.endpoint,
        force_path_style=bool(storage.endpoint),
    )
