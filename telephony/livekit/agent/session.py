"""The session of livekit-agents in which our agents speak, and what it may do in a room by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, RunContext, function_tool
from livekit.agents.llm import RawFunctionTool
from livekit.agents.voice import room_io

from sessions.calls.briefing import Briefing, FunctionTool

from .model import FRAME_MS, OnEvent, realtime_model

MOST_TOOLS = 10  # one after the other, before the caller speaks again


def agent_session(briefing: Briefing, on_event: OnEvent) -> AgentSession[None]:
    """`on_event` gets each event of OpenAI's. Raises OpenAIError without a key."""
    return AgentSession(
        llm=realtime_model(briefing, on_event),
        vad=None,
        turn_handling={"turn_detection": "realtime_llm"},
        user_away_timeout=None,
        # The agent would hear nothing while it first speaks, 3 s long, until it knows its own echo. Browsers and
        # telephones cancel that themselves, and a caller may interrupt a greeting.
        aec_warmup_duration=None,
        max_tool_steps=MOST_TOOLS,
    )


def room_options() -> room_io.RoomOptions:
    """Who is heard, and when the session ends, is decided by RoomConversation."""
    return room_io.RoomOptions(
        # Browsers control the gain themselves, and the phone path does not either.
        audio_input=room_io.AudioInputOptions(frame_size_ms=FRAME_MS, auto_gain_control=False),
        # Who is listened to is chosen by us, not by the library, which would take whoever comes first.
        participant_kinds=[rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS],
        text_input=False,  # ours is bounded: chat.py
        close_on_disconnect=False,
        delete_room_on_close=False,
    )


def tool_of(
    schema: FunctionTool, run: Callable[[RunContext[None], str, dict[str, object]], Awaitable[str]]
) -> RawFunctionTool[Any, Any]:
    """`run` gets the tool's name and its arguments, and returns its result for the model."""
    name = schema["name"]

    async def run_it(context: RunContext[None], raw_arguments: dict[str, object]) -> str:
        return await run(context, name, raw_arguments)

    raw = {"name": name, "description": schema["description"], "parameters": schema["parameters"]}
    return function_tool(run_it, raw_schema=raw)


async def first_of(*events: asyncio.Event) -> None:
    """Until one of them is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


def survive_early_interruption(session: AgentSession[None]) -> None:
    """Keep an agent's voice when it is interrupted before anybody receives its track, as by a caller who speaks first.

    Each sound waits for the same future (livekit-agents 1.8.9, _ParticipantAudioOutput.capture_frame). Who cancels one
    that waits cancels the future: the agent would be silent for the rest of the call.
    """
    output: Any = session.output.audio
    while output is not None and output.next_in_chain is not None:
        output = output.next_in_chain  # the last one is the track

    def renew(received: asyncio.Future[None]) -> None:
        if received.cancelled():
            output._subscribed_fut = asyncio.get_running_loop().create_future()
            output._subscribed_fut.add_done_callback(renew)

    if output is not None:
        output.subscribed.add_done_callback(renew)
