"""What everybody in a room is shown of its agent: LiveKit's metadata of the room, which a late participant sees too.

A participant's token cannot change it, so that the agent obeys it.
"""

from __future__ import annotations

import json

from django.db import transaction

from sessions.calls.models import Call, CallType
from sessions.calls.services import record_event
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from voiceapp.providers.livekit.client import LiveKitClient

from .agents import agent_of
from .dispatches import NoAgent

TOPIC = "room.state"
# Of a recording that the room's agent makes.
RECORDING_ID = "AR_{pk}"
Status = RoomAgent.Status

LATE = "The agent has not joined yet. We are trying again; please wait a few seconds."
REPLACED = "The connection to the agent was lost. Another one is joining; please wait a few seconds."
NEVER_JOINED = "No agent is available."
LOST = "The agent was lost."
CALL_AGAIN = "This call ends in half a minute. Please call again in a few minutes."
WITHOUT = "The call goes on without one."


def silence_agent(call: Call, *, is_silent: bool) -> None:
    """It listens only, or speaks again; the call goes on. The same again changes nothing. Raises NoAgent."""
    present = RoomAgent.objects.present().filter(call=call)
    with transaction.atomic():
        if present.exclude(is_silent=is_silent).update(is_silent=is_silent):
            record_event(call.pk, "agent_silenced" if is_silent else "agent_unsilenced")
            enqueue_room_state(call)
        elif not present.exists():
            raise NoAgent


def enqueue_room_state(call: Call) -> None:
    """In the caller's transaction: participants see the state that the agent has by then."""
    waiting = OutboxMessage.objects.filter(
        topic=TOPIC, partition_key=str(call.pk), state=OutboxMessage.State.WAITING, attempts=0
    )
    if not waiting.exists():
        body = {"callId": str(call.pk)}
        outbox.enqueue(TOPIC, partition_key=str(call.pk), body=body, organization=call.organization)


def show_room_state(message: OutboxMessage) -> None:
    """Raises LiveKitError: retry. Of a call that is over, nothing."""
    call = Call.objects.live().in_rooms().filter(pk=message.body["callId"]).first()
    if call:
        LiveKitClient.from_settings().update_room_metadata(str(call.room_name), json.dumps(room_state(call)))


def room_state(call: Call) -> dict[str, object]:
    """`message`: for people, what happened to the agent and what to do; empty if all is well.

    `recording`, while the agent is to record: the id of the recording. `hint`: the number of an operator's last hint.
    """
    agent = agent_of(call)
    if agent is None:
        return {"agentStatus": None, "agentSilent": False, "message": ""}
    state = {"agentStatus": agent.status, "agentSilent": agent.is_silent, "message": message_about(agent)}
    more = {"recording": recording_id(call), "hint": newest_hint(call)}
    return state | {name: value for name, value in more.items() if value}


def newest_hint(call: Call) -> int:
    """The number of what an operator whispered last; 0 if nobody did. Its text is for the agent alone."""
    hints = call.events.filter(kind="operator_hint").order_by("-pk").values_list("pk", flat=True)
    return hints.first() or 0


def recording_id(call: Call) -> str:
    """Of the recording that the room's agent is to make; empty if it is not to record."""
    # The app of recordings is above this one.
    to_record = call.recordings.filter(source="room_agent", state__in=("starting", "recording"))
    pk = to_record.values_list("pk", flat=True).first()
    return RECORDING_ID.format(pk=pk) if pk else ""


def message_about(agent: RoomAgent) -> str:
    if agent.status == Status.PENDING and agent.replaced_at:
        return REPLACED
    if agent.status == Status.PENDING and agent.tries > 1:
        return LATE
    if not agent.has_failed:
        return ""
    cause = LOST if agent.replaced_at else NEVER_JOINED
    return f"{cause} {CALL_AGAIN if agent.call.call_type == CallType.SUPPORT else WITHOUT}"
