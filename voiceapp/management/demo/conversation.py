"""The transcript, turns and tool calls of a made-up call, on the clock of its media stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from agents.catalog.models import Item, Modifier, Size
from sessions.calls.models import Call, CallEvent, ToolCall, TranscriptLine, Turn

MS_PER_CHARACTER = 62
OPENINGS = ("Hi, I'd like", "Hello, can I get", "Good evening, could I have", "Yes, I'd like to order")
MORE = ("And", "Oh, and also", "Then I'd like")
QUESTIONS = (
    ("Hi, how long are you open today?", "We are open around the clock. Would you like to order something?"),
    ("Hello, are you open on Sunday?", "Yes, we are open every day around the clock."),
)
OUTCOME = ToolCall.Outcome


@dataclass(frozen=True, slots=True)
class Wish:
    """A line of an order as somebody says it."""

    item: Item
    size: Size | None
    picks: tuple[tuple[str, Modifier], ...]
    quantity: int

    @property
    def price(self) -> Decimal:
        unit = self.size.price if self.size else (self.item.price or Decimal(0))
        return (unit + sum((modifier.price for _, modifier in self.picks), Decimal(0))) * self.quantity

    @property
    def phrase(self) -> str:
        extras = [modifier.name for _, modifier in self.picks if not modifier.is_default]
        what = f"{self.size.name} {self.item.name}" if self.size else self.item.name
        one = "an" if what[0] in "AEIOUaeiou" else "a"
        name = f"{('', one, 'two', 'three')[self.quantity]} {what}"
        return f"{name} with {' and '.join(extras)}" if extras else name

    @property
    def arguments(self) -> dict[str, Any]:
        wish: dict[str, Any] = {"do": "add", "item": self.item.name, "quantity": self.quantity}
        if self.size:
            wish["size"] = self.size.name
        if self.picks:
            wish["modifiers"] = [modifier.name for _, modifier in self.picks]
        return wish


class Conversation:
    """Collects lines, turns and tools while its clock advances; `save` writes them."""

    def __init__(self, call: Call, connected_at: dt.datetime, chance: Random, *, currency: str) -> None:
        self.call = call
        self.connected_at = connected_at
        self.chance = chance
        self.currency = currency
        self.now_ms = 400
        self.turn = 0
        self.wishes: Sequence[Wish] = ()
        self.interruptions = 0
        self.tool_ms = 0  # of the turn's tools
        self.lines: list[TranscriptLine] = []
        self.turns: list[Turn] = []
        self.tools: list[ToolCall] = []
        self.events: list[CallEvent] = []

    @property
    def slowest_ms(self) -> int | None:
        return max((turn.response_ms or 0 for turn in self.turns), default=None)

    def greet(self, text: str) -> None:
        self._say("agent", text)

    def ask_for_hours(self) -> None:
        question, answer = self.chance.choice(QUESTIONS)
        self._caller_says(question)
        self._use_tool("get_opening_hours", {}, answer)
        self._agent_says(answer)
        self._caller_says("No, that was all. Thank you!")
        self._say_goodbye("You are welcome. Goodbye!")

    def take_order(self, wishes: Sequence[Wish]) -> None:
        for number, wish in enumerate(wishes):
            opening = self.chance.choice(OPENINGS if number == 0 else MORE)
            self._caller_says(f"{opening} {wish.phrase}, please.")
            self._use_tool("change_order", {"changes": [wish.arguments]}, f"Added {wish.phrase}.")
            self._agent_says(
                f"{wish.phrase[:1].upper()}{wish.phrase[1:]}, got it. Anything else?",
                may_be_cut=number + 1 < len(wishes),
            )
        if self.chance.random() < 0.3:
            self._caller_says("Do you have a calzone?")
            refusal = "Calzone is out at the moment. Margherita is a good alternative."
            self._use_tool("change_order", {"changes": [{"do": "add", "item": "Calzone"}]}, refusal, OUTCOME.REFUSED)
            self._agent_says("I am sorry, the calzone is out at the moment. Shall I add a Margherita instead?")
        self._caller_says("No, that's all.")
        self.wishes = wishes

    def read_back(self) -> None:
        total = sum((wish.price for wish in self.wishes), Decimal(0))
        text = (
            f"So that is {', '.join(wish.phrase for wish in self.wishes)}. {total:.2f} {self.currency}. Is that right?"
        )
        self._use_tool("read_back_order", {}, text)
        self._agent_says(text)
        self._caller_says("Yes, that's right.")

    def submit(self, number: int, total: Decimal, name: str) -> None:
        said = f"Your order number {number} is placed. The total is {total:.2f} {self.currency}."
        self._use_tool("submit_order", {"customer_name": name} if name else {}, said)
        self._say_goodbye(f"{said} Thank you and goodbye!")

    def save(self) -> None:
        TranscriptLine.objects.bulk_create(self.lines)
        Turn.objects.bulk_create(self.turns)
        ToolCall.objects.bulk_create(self.tools)
        CallEvent.objects.bulk_create(self.events)

    def _say_goodbye(self, text: str) -> None:
        self._agent_says(text)
        self._use_tool("end_call", {}, "Goodbye.")

    def _caller_says(self, text: str) -> None:
        self.turn += 1
        self.now_ms += self.chance.randint(250, 900)
        self._say("caller", text)

    def _agent_says(self, text: str, *, may_be_cut: bool = False) -> None:
        """The agent's answer after the parts of its latency; sometimes the caller interrupts it."""
        detection, playout = self.chance.randint(480, 560), self.chance.randint(30, 120)
        model = self.chance.choice((190, 240, 310, 420, 700, 1150)) + self.chance.randint(0, 90) + self.tool_ms
        self.tool_ms = 0
        response = detection + model + playout
        is_cut = may_be_cut and self.chance.random() < 0.25
        self.turns.append(
            Turn(
                call=self.call,
                number=self.turn,
                speech_ended_ms=self.now_ms,
                response_ms=response,
                detection_ms=detection,
                model_ms=model,
                playout_ms=playout,
                is_interrupted=is_cut,
            )
        )
        self.now_ms += response
        if is_cut:
            self.interruptions += 1
            text = text[: len(text) // 2].rsplit(" ", 1)[0]
        self._say("agent", text, is_cut=is_cut)
        if is_cut:
            self._note("interrupted", {"turn": self.turn, "heard_ms": len(text) * MS_PER_CHARACTER})

    def _say(self, speaker: str, text: str, *, is_cut: bool = False) -> None:
        self.lines.append(
            TranscriptLine(
                call=self.call,
                item_id=f"item_{len(self.lines):04}",
                speaker=speaker,
                text=text,
                spoken_at_ms=self.now_ms,
                turn=self.turn,
                is_cut=is_cut,
            )
        )
        self.now_ms += len(text) * MS_PER_CHARACTER

    def _use_tool(self, name: str, arguments: dict[str, Any], said: str, outcome: str = OUTCOME.DONE) -> None:
        # Now and then a tool is so slow that its turn's page has something to explain.
        duration_ms = self.chance.randint(1400, 2300) if self.chance.random() < 0.03 else self.chance.randint(6, 45)
        self.tool_ms += duration_ms
        self.tools.append(
            ToolCall(
                call=self.call,
                tool_call_id=f"call_{len(self.tools):04}",
                name=name,
                arguments=arguments,
                output={"ok": outcome == OUTCOME.DONE, "say": said},
                outcome=outcome,
                turn=self.turn,
                duration_ms=duration_ms,
                at=self.connected_at + dt.timedelta(milliseconds=self.now_ms + 560 + self.tool_ms),
            )
        )

    def _note(self, kind: str, detail: dict[str, Any]) -> None:
        at = self.connected_at + dt.timedelta(milliseconds=self.now_ms)
        self.events.append(CallEvent(call=self.call, kind=kind, at=at, at_ms=self.now_ms, detail=detail))
