"""The gateway between live calls and the database: awaited on the event loop, run in threads of its own, or in those of
the database process."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from uuid import UUID

from recordings.services.bridge import begin_bridge_recording, cancel_bridge_recording, end_bridge_recording
from recordings.services.declining import decline_in_time
from sessions.calls import commands, passed_messages
from sessions.calls import services as calls
from sessions.calls.briefing import Briefing
from sessions.calls.commands import Command
from sessions.calls.declined_recordings import Declined, DeclinedBy
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import BROWSER_JOINED, Fact, SomethingHappened
from sessions.calls.models import Call, CallEvent
from sessions.calls.outcomes import NOT_FINISHED, ToolResult
from sessions.calls.services import record_facts
from sessions.realtime.services.hang_ups import hang_up_later
from sessions.tools.briefing import brief, is_over_webrtc, limited
from sessions.tools.services import run_tool, stored_result
from telephony.bridge.core.actions import FallBack, FollowUp, HandOver, HangUp
from telephony.twilio.models import FollowUp as Written
from telephony.twilio.services.follow_ups import set_follow_up, stream_ended
from telephony.twilio.services.streams import RedeemedStream, redeem_token
from telephony.twilio.transfers.resumption import Resumption, read_resumption
from telephony.vapi.legs import open_leg
from telephony.vapi.of_call import with_assistant
from voiceapp.core.database_threads import DatabaseThreads

from .gathering import Gathering

THREADS = 16
WATCH_EVERY_S = 0.1


class CallGateway:
    """The one interface between live calls and the rest, on the ORM. Used by every live call of the process.

    Its threads are its own: Django's one thread-sensitive thread would queue every call behind the slowest query,
    and slow queries in asyncio's default pool hold up name look-ups.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = DatabaseThreads(threads, name="call-gateway")
        self._run = self._threads.run
        self._run_again = self._threads.run_again
        self.close = self._threads.close
        self._briefings = Gathering(self._brief)

    async def brief(self, call_id: UUID) -> Briefing:
        """The briefing of the call's agent."""
        return _one_copy(await self._briefings.get(call_id))

    async def _brief(self, call_ids: Collection[UUID]) -> Mapping[UUID, Briefing | Exception]:
        return await self._run_again(_brief, call_ids)

    async def run_tool(
        self,
        call_id: UUID,
        *,
        name: str,
        arguments: str,
        tool_call_id: str,
        caller_turns: int,
        within_s: float | None = None,
    ) -> ToolResult:
        """A tool that has begun runs to its end, even when its task is canceled: an order is complete or absent.

        `within_s` from now, waiting for a thread included, it changes nothing any more.
        """
        return await self._run_again(
            run_tool,
            call_id,
            name=name,
            arguments=arguments,
            tool_call_id=tool_call_id,
            caller_turns=caller_turns,
            not_after=None if within_s is None else time.monotonic() + within_s,
        )

    async def watch_tool(self, call_id: UUID, *, tool_call_id: str, within_s: float) -> ToolResult:
        """The output of a tool that runs in a webhook of ours, as soon as it is stored there."""
        not_after = time.monotonic() + within_s
        while time.monotonic() < not_after:
            result = await self._run(stored_result, call_id, tool_call_id)
            if result is not None:
                return result
            await asyncio.sleep(WATCH_EVERY_S)
        return NOT_FINISHED

    async def record(self, call_id: UUID, facts: Sequence[Fact]) -> None:
        await self._run(_record, call_id, facts)

    async def renew_leases(self, call_ids: Iterable[UUID]) -> set[UUID]:
        """Returns the calls that are still live."""
        return await self._run(calls.renew_leases, list(call_ids))

    async def waiting_commands(self) -> list[tuple[int, UUID]]:
        """Number and call of all commands that wait, whoever carries the calls."""
        return await self._run(commands.waiting_commands)

    async def take_commands(self, numbers: Collection[int]) -> Sequence[Command]:
        """Those of these that nobody has taken; each once."""
        return await self._run(commands.take_commands, list(numbers))

    async def take_messages(self, call_id: UUID) -> list[tuple[passed_messages.Kind, str]] | None:
        """What the page has said to other processes; each message once. None: the call was ended there."""
        return await self._run(passed_messages.take_messages, call_id)

    async def finish(self, call_id: UUID, reason: EndReason) -> bool:
        """The agent's part is over, and with it the call, unless a transfer may bring the caller back."""
        return await self._run(stream_ended, call_id, reason)

    async def begin_recording(self, call_id: UUID, *, tape_id: str, starts_at_ms: int) -> bool:
        """Whether this server may record the call: not if another source does."""
        return await self._run_again(begin_bridge_recording, call_id, tape_id=tape_id, starts_at_ms=starts_at_ms)

    async def end_recording(self, tape_id: str, *, has_sound: bool, fault: str) -> bool:
        """The file is complete. `fault`: why it ended before its call."""
        return await self._run_again(end_bridge_recording, tape_id, has_sound=has_sound, fault=fault)

    async def cancel_recording(self, tape_id: str, *, reason: str) -> bool:
        """The file is deleted."""
        return await self._run_again(cancel_bridge_recording, tape_id, reason=reason)

    async def decline_recording(self, call_id: UUID, *, by: DeclinedBy) -> Declined:
        """The caller does not want the call to be recorded. It runs to its end, even when its task is canceled."""
        return await self._run_again(decline_in_time, call_id, by=by)

    async def hang_up_later(self, call_id: UUID) -> None:
        """Have a worker end a browser's call at OpenAI."""
        await self._run(hang_up_later, call_id)

    async def provider_call_of(self, call_id: UUID) -> str:
        """The provider's id of a browser's call, which changes when the browser connects anew."""
        return await self._run(_provider_call_of, call_id)

    async def has_joined(self, call_id: UUID) -> bool:
        """Whether the page has said so to another process."""
        return await self._run(_has_joined, call_id)

    async def resumption(self, call_id: UUID) -> Resumption:
        """What a call that comes back from a transfer continues."""
        return await self._run(read_resumption, call_id)

    async def redeem_token(
        self,
        token: str,
        *,
        call_sid: str,
        account_sid: str,
        stream_sid: str,
        hints: Mapping[str, str],
        has_place: bool = True,
    ) -> RedeemedStream:
        """Use the one-time token; raises TokenRefused."""
        return await self._run(
            redeem_token,
            token,
            call_sid=call_sid,
            account_sid=account_sid,
            stream_sid=stream_sid,
            hints=hints,
            has_place=has_place,
        )

    async def set_follow_up(self, stream_id: UUID, follow_up: FollowUp) -> None:
        """Store what the action webhook will answer, before the socket is closed."""
        match follow_up:
            case HangUp():
                await self._run_again(set_follow_up, stream_id, Written.HANG_UP)
            case HandOver(target_id):
                await self._run_again(set_follow_up, stream_id, Written.HAND_OVER, hand_over_to=target_id)
            case FallBack():
                await self._run_again(set_follow_up, stream_id, Written.FALL_BACK)


def _record(call_id: UUID, facts: Sequence[Fact]) -> None:
    record_facts(call_id, facts)
    for fact in facts:
        if isinstance(fact, SomethingHappened) and fact.kind == "provider_call":
            open_leg(call_id, str(fact.detail["code"]))


def _provider_call_of(call_id: UUID) -> str:
    return Call.objects.values_list("carrier_sid", flat=True).get(pk=call_id) or ""


def _has_joined(call_id: UUID) -> bool:
    return CallEvent.objects.filter(call_id=call_id, kind=BROWSER_JOINED).exists()


def _brief(call_ids: Collection[UUID]) -> dict[UUID, Briefing | Exception]:
    """Calls of one agent that begin together need its menu only once."""
    calls = Call.objects.select_related("organization", "agent", "agent_version", "visitor_call").in_bulk(call_ids)
    of_agents: dict[tuple[object, ...], Briefing] = {}
    briefings: dict[UUID, Briefing | Exception] = {}
    for call_id in call_ids:
        try:
            call = calls[call_id]
            recorded = is_over_webrtc(call), call.is_recording_wanted, call.recording_declined_at is None
            agent = call.organization_id, call.agent_id, call.agent_version_id, call.kind, *recorded
            if agent not in of_agents:
                of_agents[agent] = brief(call)
            briefings[call_id] = limited(with_assistant(replace(of_agents[agent], call_id=str(call_id)), call), call)
        except Exception as exc:  # noqa: BLE001 - the fault of this call, raised where it is requested
            briefings[call_id] = exc
    return briefings


def _one_copy(briefing: Briefing) -> Briefing:
    """One copy for all calls of an agent: with its menu and greeting it takes tens of KB, which a call holds."""
    return replace(_unpickled(pickle.dumps(replace(briefing, call_id=""))), call_id=briefing.call_id)


@lru_cache(maxsize=64)
def _unpickled(briefing: bytes) -> Briefing:
    copy: Briefing = pickle.loads(briefing)  # noqa: S301 - our own
    return copy


@cache
def call_gateway() -> CallGateway:
    """The process's own."""
    return CallGateway()
