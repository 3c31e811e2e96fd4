"""LiveKit: rooms, participants, agent dispatches, egress, access tokens and webhooks.

Every method that sends a request blocks, has a timeout and raises LiveKitError.
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

RESPONSE_TIMEOUT_S = 5.0
# LiveKit looks for an egress worker before it responds.
EGRESS_TIMEOUT_S = 10.0
# How long a room stays open after its last participant has left. Agents and egress do not keep it open.
DEPARTURE_TIMEOUT_S = 20
RINGING_TIMEOUT_S = 30
# It limits joining only: participants who have joined stay.
JOIN_TOKEN_TTL_S = 600
# A browser joins with it at once.
LISTENER_TOKEN_TTL_S = 30
# AttributeError: livekit-api fails on an error body that is JSON but not an object.
FAULTS = (api.ServerError, aiohttp.ClientError, TimeoutError, OSError, DecodeError, AttributeError)
FILE_TYPES = {"mp4": api.EncodedFileType.MP4, "ogg": api.EncodedFileType.OGG}


# No worker may register under this name.
NO_AGENT_NAME = "no-agent-wanted"


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """The agent that should join, by the name of its workers."""

    agent_name: str
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class S3Storage:
    """Where egress uploads its file. `endpoint` only if it is not Amazon's."""

    bucket: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class GoogleStorage:
    """The same at Google. `credentials`: a service account's key as JSON; empty where egress has an account itself.

    Egress cannot use Google's S3-compatible API: it signs headers that Google's servers change
    (aws/aws-sdk-go-v2#1816).
    """

    bucket: str
    credentials: str = field(default="", repr=False)


class LiveKitClient:
    """One LiveKit project. Cheap to create: connections are shared by the whole process."""

    def __init__(self, *, url: str, api_key: str, api_secret: str, browser_url: str = "") -> None:
        """`url` is for our requests (ws and wss are accepted), `browser_url` is given to browsers."""
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
        """Create it; an open room of that name is returned unchanged. A timeout of 0 means LiveKit's default.

        A dispatch is always named. LiveKit adds one without a name to a room that has none, and any worker without a
        name would join (livekit-server 1.13.5).
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
        return room_of(self._request(self._api.room.create_room(request)))

    def find_room(self, name: str) -> Room | None:
        return next(iter(self.list_rooms([name])), None)

    def list_rooms(self, names: Sequence[str]) -> tuple[Room, ...]:
        """The open rooms of these names."""
        if not names:
            return ()  # LiveKit would list all rooms
        rooms = self._request(self._api.room.list_rooms(api.ListRoomsRequest(names=names))).rooms
        return tuple(room_of(room) for room in rooms if room.name in names)

    def delete_room(self, name: str) -> bool:
        """Close it and disconnect all participants. False if there was none."""
        return self._was_there(self._api.room.delete_room(api.DeleteRoomRequest(room=name)))

    def update_room_metadata(self, name: str, metadata: str) -> bool:
        """All participants see it, and those who join later. False if there is no such room."""
        request = api.UpdateRoomMetadataRequest(room=name, metadata=check_metadata(metadata))
        return self._was_there(self._api.room.update_room_metadata(request))

    def list_participants(self, room: str) -> tuple[Participant, ...]:
        """All participants, agents and egress too. Empty if there is no such room."""
        response = self._request(self._api.room.list_participants(api.ListParticipantsRequest(room=room)))
        return tuple(map(participant_of, response.participants))

    def remove_participant(self, room: str, identity: str) -> bool:
        """Disconnect; the token stays valid until it expires. False if there was no such participant."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        return self._was_there(self._api.room.remove_participant(request))

    # agents

    def create_dispatch(self, room: str, agent: AgentRequest) -> AgentDispatch:
        """Request an agent. Not idempotent; it succeeds even if no worker can join."""
        request = api.CreateAgentDispatchRequest(
            room=check_name(room, "a room's name"),
            agent_name=check_name(agent.agent_name, "an agent's name"),
            metadata=check_metadata(agent.metadata),
        )
        return dispatch_of(self._request(self._api.agent_dispatch.create_dispatch(request)))

    def list_dispatches(self, room: str) -> tuple[AgentDispatch, ...]:
        """The dispatches of agents in an open room; without such a room LiveKit does not respond: UNAVAILABLE."""
        dispatches = map(dispatch_of, self._request(self._api.agent_dispatch.list_dispatch(room)))
        return tuple(each for each in dispatches if each.agent_name != NO_AGENT_NAME)

    def get_dispatch(self, room: str, dispatch_id: str) -> AgentDispatch | None:
        found = self._request(self._api.agent_dispatch.get_dispatch(dispatch_id, room))
        return dispatch_of(found) if found else None

    def delete_dispatch(self, room: str, dispatch_id: str) -> bool:
        """End its jobs: the agent leaves. False if there was none."""
        return self._was_there(self._api.agent_dispatch.delete_dispatch(dispatch_id, room))

    # phones

    def dial_phone(self, room: str, *, trunk_id: str, number: str, identity: str, name: str = "") -> None:
        """Call a number (E.164) by an outbound SIP trunk. The participant joins at once, before anybody answers.

        The caller hears it ring. Not idempotent. Raises NO_PHONES without a SIP service or such a trunk.
        """
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=trunk_id,
            sip_call_to=number,
            room_name=check_name(room, "a room's name"),
            participant_identity=check_name(identity, "an identity"),
            participant_name=fit_display_name(name),
            play_dialtone=True,
            hide_phone_number=True,
        )
        request.ringing_timeout.FromSeconds(RINGING_TIMEOUT_S)
        try:
            self._request(self._api.sip.create_sip_participant(request))
        except LiveKitError as error:
            if error.kind is LiveKitErrorKind.NOT_FOUND and "trunk" in str(error):
                raise LiveKitError(LiveKitErrorKind.NO_PHONES, str(error)) from error
            raise

    # recordings

    def start_room_recording(
        self,
        room: str,
        *,
        filepath: str,
        file_type: Literal["mp4", "ogg"] = "mp4",
        storage: S3Storage | GoogleStorage | None = None,
    ) -> RoomRecording:
        """Record the room's audio, the agent on its own channel; without `storage` to the egress worker's disk.

        Start it after a track is published: earlier, LiveKit may abort it. Raises NO_RECORDER at once without an egress
        service: LiveKit would look for a worker for 21 s, but reports it at once when it lists egress (1.13.5).
        """
        self.list_recordings(room, is_active=True)
        output = api.EncodedFileOutput(file_type=FILE_TYPES[file_type], filepath=filepath)
        if isinstance(storage, GoogleStorage):
            output.gcp.CopyFrom(api.GCPUpload(bucket=storage.bucket, credentials=storage.credentials))
        elif storage:
            output.s3.CopyFrom(_upload(storage))
        # Without a layout or URL of ours LiveKit records without a browser.
        request = api.RoomCompositeEgressRequest(
            room_name=room, audio_only=True, audio_mixing=AudioMixing.DUAL_CHANNEL_AGENT, file_outputs=[output]
        )
        return self._recording(self._api.egress.start_room_composite_egress(request))

    def stop_recording(self, egress_id: str) -> RoomRecording:
        """Its file follows later. Raises ALREADY_ENDED and NOT_FOUND."""
        return self._recording(self._api.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))

    def find_recording(self, egress_id: str) -> RoomRecording | None:
        response = self._request(self._api.egress.list_egress(api.ListEgressRequest(egress_id=egress_id)))
        return next((recording_of(item) for item in response.items if item.egress_id == egress_id), None)

    def list_recordings(self, room: str = "", *, is_active: bool = False) -> tuple[RoomRecording, ...]:
        """Those of a room or of all rooms, optionally active ones only. LiveKit forgets old ones after a while."""
        request = api.ListEgressRequest(room_name=room, active=is_active)
        return tuple(map(recording_of, self._request(self._api.egress.list_egress(request)).items))

    # tokens: no request, so no LiveKitError

    def join_token(
        self, *, room: str, identity: str, name: str = "", ttl_s: int = JOIN_TOKEN_TTL_S, can_write: bool = False
    ) -> str:
        """For a person: to hear and to publish a microphone in this one room. The holder can read its contents.

        `can_write`: to send text, too.
        """
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_subscribe=True,
            can_publish=True,
            can_publish_sources=["microphone"],
            can_publish_data=can_write,
            can_update_own_metadata=False,
        )
        return self._token(grants, identity=identity, name=name, ttl_s=ttl_s).to_jwt()

    def agent_token(self, *, room: str, identity: str, name: str = "", ttl_s: int = JOIN_TOKEN_TTL_S) -> str:
        """For an agent that joins by itself: to speak, send text and show its state."""
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

    def listener_token(self, *, room: str, identity: str, ttl_s: int = LISTENER_TOKEN_TTL_S) -> str:
        """For one who only hears: neither the room's participants nor its agent learn of them.

        To LiveKit they are a person all the same: they are listed, counted, and keep the room open (1.13.5).
        """
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            hidden=True,
            can_subscribe=True,
            can_publish=False,
            can_publish_data=False,
            can_update_own_metadata=False,
        )
        return self._token(grants, identity=identity, name="", ttl_s=ttl_s).to_jwt()

    # webhooks

    def verify_webhook(self, body: bytes, authorization: str) -> LiveKitEvent:
        """Over the raw body. Raises SignatureRefused and nothing else."""
        return verify_webhook(body, authorization, api_key=self._api_key, api_secret=self._api_secret)

    # internals

    @property
    def _api(self) -> api.LiveKitAPI:
        return loop_thread().client(self._url, api_key=self._api_key, api_secret=self._api_secret)

    def _request(self, work: Coroutine[Any, Any, T], *, within_s: float | None = None) -> T:
        try:
            return loop_thread().run(work, within_s=within_s or RESPONSE_TIMEOUT_S)
        except FAULTS as fault:
            raise error_of(fault) from fault

    def _was_there(self, work: Coroutine[Any, Any, object]) -> bool:
        try:
            self._request(work)
        except LiveKitError as error:
            if error.kind is LiveKitErrorKind.NOT_FOUND:
                return False
            raise
        return True

    def _recording(self, work: Coroutine[Any, Any, api.EgressInfo]) -> RoomRecording:
        return recording_of(self._request(work, within_s=EGRESS_TIMEOUT_S))

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
