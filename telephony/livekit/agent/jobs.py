"""What a job of the worker does. It runs in a process of its own, which has to set Django up first."""

from __future__ import annotations

import asyncio
import json
import logging
import os

import django
from django.apps import apps

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceapp.settings")
    django.setup()

import structlog
from django.db import connections
from livekit import rtc
from livekit.agents import JobContext, JobProcess, JobRequest
from livekit.agents.ipc.log_queue import LogQueueHandler

from sessions.calls.end_reasons import EndReason
from sessions.rooms.services.agent_briefing import JobRefused, RoomBriefing

from .conversation import RoomConversation
from .gateway import RoomGateway

logger = structlog.get_logger("room_agent")

# The worker kills a process that has not ended 10 s after it was told to.
LEAVES_WITHIN_S = 8.0
# After these no other agent takes its place in the room.
HAS_LEFT = frozenset(
    {
        rtc.DisconnectReason.ROOM_DELETED,
        rtc.DisconnectReason.ROOM_CLOSED,
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
    }
)


def prewarm(process: JobProcess) -> None:
    """No connection of the parent's is used by a job, and its log is its own: the library would send each line to its
    parent as well, as text that is no line of ours any more.
    """
    connections.close_all()
    for handler in logging.getLogger().handlers[:]:
        if isinstance(handler, LogQueueHandler):
            logging.getLogger().removeHandler(handler)


async def on_request(request: JobRequest) -> None:
    """Accept under the identity of the dispatch; a job without one is for none of our agents."""
    identity = metadata_of(request.job.metadata).get("agentIdentity", "")
    if identity:
        await request.accept(identity=identity, name="Agent")
    else:
        logger.warning("job refused", room=request.room.name, reason="its metadata names no agent")
        await request.reject()


async def entrypoint(context: JobContext) -> None:
    """It returns when the agent is in the room: until then LiveKit cannot end the job."""
    named = metadata_of(context.job.metadata)
    gateway = RoomGateway()
    try:
        room = await gateway.brief(
            named.get("callId", ""),
            identity=named.get("agentIdentity", ""),
            room=context.job.room.name,
            job_id=context.job.id,
        )
    except Exception as fault:
        # LiveKit reports such a job as done (livekit-agents): the log and the watchdog of agents say what happened.
        if isinstance(fault, JobRefused):
            logger.warning("job refused", room=context.job.room.name, reason=str(fault))
        else:
            logger.exception("job failed", room=context.job.room.name)
        await gateway.aclose()
        context.shutdown(reason="refused")
        return
    carrying = asyncio.get_running_loop().create_task(_carry(context, room, gateway), name="conversation")
    try:
        await context.connect()
    except Exception:
        logger.exception("job failed", room=context.job.room.name)
        carrying.cancel()


async def _carry(context: JobContext, room: RoomBriefing, gateway: RoomGateway) -> None:
    log = logger.bind(call_id=str(room.call_id), identity=room.identity)
    reason: EndReason | None = EndReason.PROVIDER_FAILED
    gone = asyncio.Event()
    try:
        context.room.on("disconnected", lambda *_: gone.set())
        conversation = RoomConversation(context, room, gateway)
        context.room.on("disconnected", lambda *why: conversation.stop(has_left=not HAS_LEFT.isdisjoint(why)))
        _keep_process(context, conversation)
        await conversation.start()
        reason = await conversation.run()
    except asyncio.CancelledError:
        # LiveKit or the worker ended the job, not the call: another worker takes its place.
        reason = None
        raise
    except Exception:
        log.exception("conversation failed")
        if gone.is_set():
            reason = None
    finally:
        log.info("agent leaves", reason=str(reason or "room over"))
        await _finish(room, gateway, reason)
        context.shutdown(reason=str(reason or "done"))


def _keep_process(context: JobContext, conversation: RoomConversation) -> None:
    """The process ends with the job: what is not written by then, as the end of a recording or last lines, is lost."""
    carrying = asyncio.current_task()
    assert carrying is not None

    async def until_all_is_written() -> None:
        conversation.stop()
        _, late = await asyncio.wait({carrying}, timeout=LEAVES_WITHIN_S)
        if late:
            logger.warning("agent ended before all was written", room=context.job.room.name)

    context.add_shutdown_callback(until_all_is_written)


async def _finish(room: RoomBriefing, gateway: RoomGateway, reason: EndReason | None) -> None:
    """Of a call between people, and of one that a person has taken, the agent's end is not the end."""
    try:
        await gateway.write_facts()
        if reason is EndReason.TRANSFERRED or (reason is not None and room.has_others):
            await gateway.leave(room.identity)
        elif reason is not None:
            await gateway.end(room.call_id, reason)
    finally:
        await gateway.aclose()


def metadata_of(text: str) -> dict[str, str]:
    """The metadata of a dispatch of ours; empty for anything else."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    return {str(key): str(value) for key, value in read.items()}
