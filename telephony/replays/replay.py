"""A recorded caller calls another version of the agent: the core, the link and the tools are those of a live call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from django.utils import timezone

from agents.configuration.models import Agent, Persona
from sessions.calls.facts import LineSpoken, TurnAnswered, TurnInterrupted
from sessions.tools.briefing import brief_agent
from sessions.tools.dry_run import DryRun, Made
from telephony.bridge.twilio.frames import TwilioCodec
from telephony.live.live_call import LiveCall
from telephony.live.registry import LiveCalls
from telephony.scenarios.conversation import TEST_CALLER
from voiceapp.core.errors import ApplicationError
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.transactions import release_connections

from .caller_audio import Utterance
from .gateway import KeepSaid, ReplayGateway
from .recorded_caller import RecordedCaller

STREAM = "MZreplay"
LONGEST_S = 30 * 60


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. `said`: how many of the utterances were said before the call ended."""

    made: Made
    lines: Sequence[LineSpoken]
    response_ms: Sequence[int]
    interruptions: int
    end_reason: str
    duration_s: int
    said: int
    faults: Sequence[str]


def replay(
    agent: Agent,
    persona: Persona,
    utterances: Sequence[Utterance],
    *,
    keep_said: KeepSaid = bool,
) -> Replayed:
    """In real time. VAPI's agents are played by OpenAI, with their prompt and tools. Raises ApplicationError.

    `keep_said` is called in a thread as each utterance begins, with how many there were; if it is False, the caller
    hangs up.
    """
    briefing = brief_agent(persona, agent.organization, call_id="", now=timezone.now(), is_recorded=False)
    briefing = replace(briefing, provider=Persona.Provider.OPENAI.value, fallback_provider="")
    tools = frozenset(tool["name"] for tool in briefing.tools)
    gateway = ReplayGateway(briefing, DryRun(agent, tools, caller_number=TEST_CALLER), keep_said)
    release_connections()
    try:
        return asyncio.run(_carry(gateway, utterances))
    except TimeoutError as exc:
        raise ApplicationError(
            KeptText("The call did not end within %(minutes)d minutes.", minutes=LONGEST_S // 60)
        ) from exc
    finally:
        gateway.close()


async def _carry(gateway: ReplayGateway, utterances: Sequence[Utterance]) -> Replayed:
    said: asyncio.Queue[int] = asyncio.Queue()
    caller = RecordedCaller(utterances, stream_sid=STREAM, on_said=said.put_nowait)
    codec = TwilioCodec(STREAM)
    call = LiveCall(uuid4(), stream_id=None, codec=codec, gateway=gateway, calls=LiveCalls(), socket=caller)
    began = asyncio.get_running_loop().time()
    keeping = asyncio.create_task(_keep_counts(said, gateway, caller))
    try:
        async with asyncio.timeout(LONGEST_S):
            await call.run()
    finally:
        keeping.cancel()
    return _result(gateway, caller, duration_s=int(asyncio.get_running_loop().time() - began))


async def _keep_counts(said: asyncio.Queue[int], gateway: ReplayGateway, caller: RecordedCaller) -> None:
    while await gateway.keep_said(await said.get()):
        pass
    caller.hang_up()


def _result(gateway: ReplayGateway, caller: RecordedCaller, *, duration_s: int) -> Replayed:
    lines = {fact.item_id: fact for fact in gateway.facts if isinstance(fact, LineSpoken)}
    dry_run = gateway.dry_run
    return Replayed(
        made=dry_run.made,
        lines=sorted((line for line in lines.values() if line.text), key=lambda line: line.spoken_at_ms),
        response_ms=[fact.response_ms for fact in gateway.facts if isinstance(fact, TurnAnswered)],
        interruptions=sum(isinstance(fact, TurnInterrupted) for fact in gateway.facts),
        end_reason=gateway.reason.value if gateway.reason else "",
        duration_s=duration_s,
        said=caller.said,
        faults=[f"{use.name}: {use.fault}" for use in dry_run.uses if use.fault],
    )
