"""A conversation with an agent in text: OpenAI Realtime over the link of live calls, its tools in a dry run.

No sound is made, so that a scenario of ten steps takes seconds. An agent that VAPI plays is tried out on OpenAI too,
with its own prompt, tools and menu: that is what a change of the agent changes.
"""

from __future__ import annotations

import asyncio
import enum
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import timezone

from agents.configuration.models import Agent, Persona
from sessions.calls.briefing import Briefing
from sessions.calls.outcomes import EndCall, ToolResult, Transfer
from sessions.tools.briefing import brief_agent
from sessions.tools.dry_run import DryRun, Use
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.openai.errors import ErrorKind, classify
from telephony.bridge.openai.frames import (
    ErrorBody,
    Item,
    Response,
    ServerEvent,
    agent_text,
    caller_text,
    create_response,
    parse_event,
    session_update,
    tool_call,
    tool_output,
)
from telephony.live.openai_provider import OpenAILinks, session_for
from voiceapp.core.errors import ApplicationError
from voiceapp.core.kept_texts import KeptText, kept, stored
from voiceapp.core.transactions import release_connections
from voiceapp.providers.openai.fields import fit_model

OPENS_WITHIN_S = 10.0
ANSWERS_WITHIN_S = 20.0
# Responses to one sentence of the caller's, each with tools.
MOST_RESPONSES = 8
# So that a close frame leaves before the event loop ends.
LINGER_S = 0.05
KNOWN = frozenset({"session.updated", "response.done", "error"})
# Nobody's number, and not that of `manage.py ring`: what a caller has ordered before is no part of a trial.
TEST_CALLER = "+14155550187"


class NotAnswered(ApplicationError):
    """The AI provider does not answer, or refuses: nothing is known of the agent."""


class Who(enum.StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    TOOL = "tool"
    END = "end"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the conversation. Of a tool: `name`, `arguments`, its `output` as JSON, and how long it took."""

    who: Who
    text: str = ""
    name: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    output: str = ""
    is_ok: bool = True
    duration_ms: int = 0
    fault: str = ""
    turn: int = 0

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "text": stored(self.text)}

    @property
    def shown_arguments(self) -> str:
        """For people."""
        return json.dumps(self.arguments, ensure_ascii=False, indent=1)

    @property
    def shown_output(self) -> str:
        return json.dumps(json.loads(self.output or "{}"), ensure_ascii=False, indent=1)

    @property
    def say(self) -> str:
        """The sentence of a tool's answer."""
        output = json.loads(self.output or "{}")
        return str(output.get("say", "")) if isinstance(output, dict) else ""

    @classmethod
    def of_json(cls, entry: Mapping[str, Any]) -> Entry:
        # Only what was not said is a sentence of ours.
        text = kept(entry["text"]) if entry["who"] == Who.END else entry["text"]
        return cls(**{**entry, "who": Who(entry["who"]), "text": text})


class Conversation:
    """What was said and done so far. Each method waits; the database is used in the thread that calls."""

    def __init__(self, briefing: Briefing, dry_run: DryRun, runner: asyncio.Runner) -> None:
        self.entries: list[Entry] = []
        self.dry_run = dry_run
        self.is_over = False
        self._briefing = briefing
        self._runner = runner
        self._session = _TextSession(briefing)
        self._items = 0

    @property
    def turns(self) -> int:
        """How often the caller has spoken."""
        return sum(entry.who is Who.CALLER for entry in self.entries)

    def open(self, past: Sequence[Entry]) -> None:
        """Connect, and tell the model what was said before. Raises NotAnswered."""
        release_connections()
        self._runner.run(self._session.open())
        if not past:
            past = [Entry(Who.AGENT, self._briefing.phrases.greeting)]
        for entry in past:
            self._replay(entry)
            self.entries.append(entry)

    def say(self, text: str) -> list[Entry]:
        """The caller says this; what then is said and done, in order. Raises NotAnswered; `entries` has what came."""
        before = len(self.entries)
        self.entries.append(Entry(Who.CALLER, text, turn=self.turns + 1))
        self._session.send(caller_text(self._next_item(), text))
        for _round in range(MOST_RESPONSES):
            if not self._respond():
                return self.entries[before:]
        raise NotAnswered(
            KeptText(
                "The agent used tools %(count)d times in a row without an answer. Look at its prompt.",
                count=MOST_RESPONSES,
            )
        )

    def close(self) -> None:
        self._runner.run(self._session.close())

    def _respond(self) -> bool:
        """One response. Whether another one has to follow, because tools were used."""
        began = time.monotonic()
        release_connections()
        items = self._runner.run(self._session.respond())
        took_ms = int((time.monotonic() - began) * 1000)
        if said := " ".join(_text_of(item) for item in items if item.type == "message").strip():
            self.entries.append(Entry(Who.AGENT, said, duration_ms=took_ms, turn=self.turns))
        calls = [item for item in items if item.type == "function_call"]
        for call in calls:
            self._use(call)
        return bool(calls) and not self.is_over

    def _use(self, call: Item) -> None:
        use = self.dry_run.run(call.name or "", call.arguments or "", caller_turns=self.turns)
        self.entries.append(entry_of(use))
        self._session.send(tool_output(self._next_item(), call.call_id or "", use.result.output))
        match use.result.then:
            case EndCall():
                self._end(KeptText("The agent hangs up."))
            case Transfer(target_id):
                self._end(KeptText("The agent transfers the call to %(target)s.", target=target_id))

    def _end(self, text: str) -> None:
        self.is_over = True
        self.entries.append(Entry(Who.END, text))

    def _replay(self, entry: Entry) -> None:
        item = self._next_item()
        match entry.who:
            case Who.CALLER:
                self._session.send(caller_text(item, entry.text))
            case Who.AGENT:
                self._session.send(agent_text(item, entry.text))
            case Who.TOOL:
                use = use_of(entry)
                self.dry_run.repeat([use])
                self._session.send(tool_call(item, f"call_{item}", use.name, json.dumps(entry.arguments)))
                self._session.send(tool_output(self._next_item(), f"call_{item}", entry.output))
            case Who.END:
                self.is_over = True

    def _next_item(self) -> str:
        self._items += 1
        return f"trial_{self._items}"


@contextmanager
def conversation(agent: Agent, persona: Persona, *, past: Sequence[Entry] = ()) -> Iterator[Conversation]:
    """With the draft (`persona` is the agent itself) or a version. Raises NotAnswered."""
    briefing = brief_agent(persona, agent.organization, call_id="", now=timezone.now(), is_recorded=False)
    tools = frozenset(tool["name"] for tool in briefing.tools)
    with asyncio.Runner() as runner:
        talk = Conversation(briefing, DryRun(agent, tools, caller_number=TEST_CALLER), runner)
        try:
            talk.open(past)
            yield talk
        finally:
            talk.close()


def entry_of(use: Use) -> Entry:
    return Entry(
        Who.TOOL,
        name=use.name,
        arguments=use.arguments,
        output=use.result.output,
        is_ok=use.is_ok,
        duration_ms=use.duration_ms,
        fault=use.fault,
        turn=use.caller_turns,
    )


def use_of(entry: Entry) -> Use:
    result = ToolResult(entry.output)
    return Use(entry.name, entry.arguments, entry.turn, result, entry.is_ok, entry.duration_ms, entry.fault)


class _TextSession:
    """One session of the provider's: requests, and the event that ends each."""

    def __init__(self, briefing: Briefing) -> None:
        self._briefing = briefing
        self._events: asyncio.Queue[ServerEvent | LinkLoss] = asyncio.Queue()
        model, _replaced = fit_model(briefing.model)
        make_link = OpenAILinks(lambda client: client.realtime_url(model), is_own_address=True)
        self._link = make_link(on_opened=self._opened, on_frame=self._receive, on_lost=self._events.put_nowait)
        self._opening: asyncio.Task[None] | None = None
        self._responses = 0

    def send(self, frame: str) -> None:
        self._link.send(frame)

    async def open(self) -> None:
        self._opening = asyncio.create_task(self._link.open())
        await self._next("session.updated", within_s=OPENS_WITHIN_S)

    async def respond(self) -> Sequence[Item]:
        self._responses += 1
        self.send(create_response(f"respond_{self._responses}", ""))
        event = await self._next("response.done", within_s=ANSWERS_WITHIN_S)
        response = event.response or Response(id="")
        if response.status not in ("completed", "incomplete"):
            details = response.status_details
            raise NotAnswered(_refused(details.error if details else None))
        return response.output

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        self._link.close()
        await asyncio.sleep(LINGER_S)

    def _opened(self) -> None:
        session, _replaced = session_for(self._briefing)
        self.send(session_update({**session, "output_modalities": ["text"]}))

    def _receive(self, frame: str) -> None:
        try:
            event = parse_event(frame, KNOWN)
        except BadFrame:
            return
        if event is not None:
            self._events.put_nowait(event)

    async def _next(self, kind: str, *, within_s: float) -> ServerEvent:
        """The next event of that kind."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    event = await self._events.get()
                    if isinstance(event, LinkLoss):
                        raise NotAnswered(_lost(event))
                    if event.type == "error" and classify(event.error or ErrorBody()) is not ErrorKind.BENIGN:
                        raise NotAnswered(_refused(event.error))
                    if event.type == kind:
                        return event
        except TimeoutError as exc:
            raise NotAnswered(
                KeptText(
                    "The AI provider did not answer within %(seconds)d seconds. Try again in a few minutes.",
                    seconds=within_s,
                )
            ) from exc


def _lost(loss: LinkLoss) -> str:
    return KeptText(
        "The AI provider cannot be reached (%(reason)s). `manage.py doctor` says what is wrong.",
        reason=loss.reason or loss.code or "",
    )


def _refused(error: ErrorBody | None) -> str:
    reason = (error.message or error.code or "") if error else ""
    return KeptText(
        "The AI provider refused to answer: %(reason)s", reason=reason[:200] or KeptText("no reason was given")
    )


def _text_of(item: Item) -> str:
    return " ".join(part.text for part in item.content or () if part.text).strip()
