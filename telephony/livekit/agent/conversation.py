"""One conversation of an agent in a room: its session, its tools, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable
from typing import Any, cast

import structlog
from livekit import rtc
from livekit.agents import (
    Agent,
    AgentStateChangedEvent,
    CloseEvent,
    ConversationItemAddedEvent,
    ErrorEvent,
    JobContext,
    RunContext,
    StopResponse,
    UserStateChangedEvent,
)
from livekit.agents.voice import SpeechHandle
from livekit.plugins.openai.realtime import RealtimeSession

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from sessions.calls.outcomes import NOT_FINISHED, EndCall, Transfer, refusal
from sessions.rooms.services.agent_briefing import RoomBriefing
from sessions.rooms.services.transfers import PersonNotCalled
from telephony.bridge.core.conversation import hint_for_model

from .chat import Chat
from .deadlines import Due, RoomDeadlines
from .facts import CallFacts
from .gateway import RoomGateway
from .interruption import InterruptButton, cut_text, show_cut
from .model import conversation_so_far, system_text
from .recorder import RoomRecorder
from .session import agent_session, first_of, room_options, survive_early_interruption, tool_of
from .shown_tool import ShownTool
from .way import Way

logger = structlog.get_logger("room_agent")

SIP_STATUS = "sip.callStatus"
LOOK_EVERY_S = 0.1


class RoomConversation:
    """`start` while the job connects to the room; `run` returns when the agent has nothing more to do there."""

    def __init__(self, context: JobContext, room: RoomBriefing, gateway: RoomGateway) -> None:
        self._context, self._room, self._gateway = context, room, gateway
        self._briefing = room.briefing
        self._way = Way(context.room)
        self._facts = CallFacts(
            gateway.note, room.briefing, turns=room.turns, since_ms=room.since_ms, heard_at=self._way.heard_at
        )
        self._session = agent_session(room.briefing, self._facts.on_event)
        self._chat = Chat(context.room, self._typed)
        self._recorder = RoomRecorder(self._session, gateway, self._way, now_ms=lambda: self._facts.now_ms)
        self._button = InterruptButton(context.room, self._silenced)
        self._shown_tool = ShownTool(context.room, self._begin)
        self._deadlines = RoomDeadlines(room.briefing.limits, since_ms=room.since_ms)
        self._over = asyncio.Event()
        self._met_caller = asyncio.Event()
        self._reason: EndReason | None = None
        self._has_left = False
        self._pending: SpeechHandle | None = None  # what the deadlines have it say, or its farewell
        self._times_active = 0  # how often the caller has spoken or typed
        self._is_silent = False
        self._hint = 0  # the number of the last one that the model was given
        self._taking_hints = asyncio.Lock()
        self._person = ""  # to whom the caller is being transferred
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connects to the model and to the room at once. Returns when the agent is in the room."""
        session, room = self._session, self._context.room
        session.on("user_state_changed", self._on_user_state)
        session.on("agent_state_changed", self._on_agent_state)
        session.on("conversation_item_added", self._on_item)
        session.on("error", self._on_error)
        session.on("close", self._on_close)
        room.on("room_metadata_changed", self._on_metadata)
        room.on("participant_connected", self._on_participant)
        room.on("participant_attributes_changed", self._on_attributes)
        room.on("participant_disconnected", self._on_left)
        await session.start(
            Agent(
                instructions=self._briefing.instructions,
                tools=[tool_of(schema, self._run_tool) for schema in self._briefing.tools],
                chat_ctx=conversation_so_far(self._room),
            ),
            room=room,
            room_options=room_options(),
            # It would send everybody in the room the prompt, the tools and each of their calls, and obey everybody.
            session_host=False,
            record=False,
        )
        survive_early_interruption(session)
        await self._record()
        await self._take_hints()
        self._set_silent(self._room.is_silent)
        for participant in room.remote_participants.values():
            self._on_participant(participant)

    async def run(self) -> EndReason | None:
        """Begins when the caller is there. The reason with which the agent ends the call; None if somebody else did."""
        try:
            await first_of(self._met_caller, self._over)
            if not self._room.past and not self._over.is_set():
                self._greet()
            await self._watch()
        finally:
            self._chat.close()
            self._button.close()
            try:
                await self._session.aclose()
            finally:
                # Otherwise another worker takes its place, and goes on with the recording.
                await self._recorder.close(is_over=self._has_left or self._reason is not None)
        return self._reason

    def end(self, reason: EndReason) -> None:
        """The agent stops now."""
        if self._reason is None:
            self._reason = reason
        self._over.set()

    def stop(self, *, has_left: bool = False) -> None:
        """The room or the job is over. `has_left`: none takes its place."""
        self._has_left |= has_left
        self._over.set()

    # Time

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not self._over.is_set():
            await asyncio.sleep(LOOK_EVERY_S)
            if self._facts.spending.is_used_up and not self._deadlines.is_firm:
                self._deadlines.leave_after_farewell(EndReason.BUDGET_USED, is_firm=True)
                self._pending = self._say(self._briefing.phrases.time_goodbye)
                continue
            self._act(
                self._deadlines.passes(
                    round((loop.time() - began_s) * 1000),
                    agent_is_busy=self._is_busy,
                    caller_is_speaking=self._is_caller_speaking,
                    minds_silence=not (self._is_silent or self._room.has_others or self._person),
                )
            )

    def _act(self, due: Due | None) -> None:
        phrases = self._briefing.phrases
        match due:
            case Due.REPROMPT:
                self._pending = self._say(phrases.reprompt)
            case Due.SILENCE_GOODBYE:
                self._pending = self._say(phrases.silence_goodbye)
            case Due.TIME_GOODBYE:
                self._pending = self._say(phrases.time_goodbye)
            case Due.LEAVE if self._deadlines.ending is not None:
                self.end(self._deadlines.ending)

    @property
    def _is_busy(self) -> bool:
        is_due = self._pending is not None and not self._pending.done()
        return is_due or self._session.agent_state in ("speaking", "thinking")

    @property
    def _is_caller_speaking(self) -> bool:
        return self._session.user_state == "speaking"

    def _caller_was_active(self) -> None:
        self._times_active += 1
        if self._deadlines.caller_was_active():
            self._happened("farewell_interrupted")

    def _greet(self) -> None:
        greeting = self._pending = self._say(self._briefing.phrases.greeting)
        if greeting is not None and self._briefing.protects_greeting:
            self._session.input.set_audio_enabled(False)
            self._begin(self._hear_again_after(greeting))

    async def _hear_again_after(self, greeting: SpeechHandle) -> None:
        await greeting.wait_for_playout()
        self._session.input.set_audio_enabled(not self._is_silent)

    def _say(self, text: str) -> SpeechHandle | None:
        if not text or self._is_silent:
            return None
        quoted = text.replace('"', "'")
        return self._session.generate_reply(instructions=f'Say exactly: "{quoted}"', tool_choice="none")

    # What the caller types and presses

    def _silenced(self) -> None:
        """He wants to hear no more of what the agent is saying."""
        self._caller_was_active()
        self._begin(self._fall_silent())

    async def _fall_silent(self) -> None:
        with contextlib.suppress(RuntimeError):  # the session is closing
            await self._session.interrupt(force=True)

    def _typed(self, text: str) -> None:
        """A turn of the caller's, which interrupts as speech does."""
        if self._is_silent or self._deadlines.is_firm:
            return
        self._caller_was_active()
        self._facts.caller_typed()
        self._begin(self._answer(text))

    async def _answer(self, text: str) -> None:
        with contextlib.suppress(RuntimeError):  # the session is closing
            await self._session.interrupt()
            self._session.generate_reply(user_input=text)

    # Tools

    async def _run_tool(self, context: RunContext[None], name: str, arguments: dict[str, object]) -> str:
        within_s = self._briefing.limits.tool_commits_within_ms / 1000
        times_active = self._times_active
        try:
            with self._shown_tool.running(name):
                result = await asyncio.wait_for(
                    self._gateway.run_tool(
                        self._room.call_id,
                        name=name,
                        arguments=json.dumps(arguments),
                        tool_call_id=context.function_call.call_id,
                        caller_turns=self._facts.turns,
                        within_s=within_s,
                    ),
                    self._briefing.limits.tool_ends_within_ms / 1000,
                )
        except TimeoutError:
            result = NOT_FINISHED
        if result.recording is not None:
            self._begin(self._record())
        # Who spoke while the tool ran has not finished.
        may_end = times_active == self._times_active and not self._is_caller_speaking
        match result.then:
            case EndCall() if may_end:
                return self._farewell(context, result.output, EndReason.AGENT_HUNG_UP)
            case Transfer(target_id) if may_end:
                return await self._transfer(context, target_id, result.output)
        return result.output

    async def _transfer(self, context: RunContext[None], target: str, output: str) -> str:
        """The person's phone rings in the room. The agent leaves when it is answered, and goes on when it is not.

        Where no phone can be called, the call goes to its callee, if they are in the room.
        """
        try:
            self._person = await self._gateway.call_person(self._room.call_id, target)
        except PersonNotCalled as refused:
            if await self._gateway.has_callee(self._room.call_id):
                self._happened("transfer_attempt", target=target)
                return self._farewell(context, output, EndReason.TRANSFERRED)
            self._happened("transfer_over", target=target, status="nobody", why="not_called")
            return refusal(str(refused)).output
        self._happened("transfer_attempt", target=target)
        return output

    def _farewell(self, context: RunContext[None], output: str, reason: EndReason) -> str:
        """What was said before the tool was called is the farewell; without it the model says one."""
        self._pending = context.speech_handle
        self._deadlines.leave_after_farewell(reason)
        if self._session.agent_state == "speaking":
            raise StopResponse
        return output

    # What the session reports

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._caller_was_active()

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self._facts.on_agent_state(event)

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        self._facts.on_item(event)
        if cut := cut_text(event):
            self._begin(show_cut(self._context.room, cut))

    def _on_error(self, event: ErrorEvent) -> None:
        self._happened("provider_error", code=type(event.error).__name__)

    def _on_close(self, event: CloseEvent) -> None:
        if event.error is not None:
            logger.error("session closed", call_id=str(self._room.call_id), error=str(event.error)[:200])
            self.end(EndReason.PROVIDER_FAILED)
        self._over.set()

    # The room

    def _on_metadata(self, old: str, new: str) -> None:
        try:
            state = json.loads(new)
        except ValueError:
            return
        if isinstance(state, dict):
            self._set_silent(state.get("agentSilent") is True)
            if str(state.get("recording") or "") != self._recorder.current:
                self._begin(self._record())
            if state.get("hint") not in (None, self._hint):
                self._begin(self._take_hints())

    async def _record(self) -> None:
        """Or not: as the database says now, of which the metadata may be an older state."""
        await self._recorder.follow(await self._gateway.recording_id(self._room.call_id))

    async def _take_hints(self) -> None:
        """What operators have whispered since: the model knows it, and uses it in what it says next."""
        async with self._taking_hints:
            hints = await self._gateway.hints_after(self._room.call_id, self._hint)
            for hint in hints:
                self._hint = hint.number
                with contextlib.suppress(RuntimeError):  # the session is closing
                    cast(RealtimeSession, self._session.current_agent.realtime_llm_session).send_event(
                        system_text(hint_for_model(hint.text))
                    )
                    self._happened("hint_given")

    def _set_silent(self, is_silent: bool) -> None:
        """It hears and speaks nothing until it may again."""
        if is_silent == self._is_silent:
            return
        self._is_silent = is_silent
        if is_silent:
            self._session.interrupt(force=True)
        self._session.input.set_audio_enabled(not is_silent)

    def _on_participant(self, participant: rtc.RemoteParticipant) -> None:
        """The caller came, or came back under another identity."""
        self._begin(self._listen_to(participant))

    def _on_attributes(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if self._person and participant.identity == self._person and changed.get(SIP_STATUS) == "active":
            self._happened("transfer_joined")
            self.end(EndReason.TRANSFERRED)

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if self._person and participant.identity == self._person:
            self._person = ""
            self._happened("transfer_over", status="nobody")
            self._say(self._briefing.phrases.not_taken)

    async def _listen_to(self, participant: rtc.RemoteParticipant) -> None:
        identity = participant.identity
        if identity in self._room.callers or identity in await self._gateway.callers(self._room.call_id):
            self._session.room_io.set_participant(identity)
            self._way.listen_to(identity)
            self._chat.listen_to(identity)
            self._button.listen_to(identity)
            self._met_caller.set()

    def _happened(self, kind: str, **detail: Any) -> None:
        self._gateway.note(SomethingHappened(kind, self._facts.now_ms, detail))

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
