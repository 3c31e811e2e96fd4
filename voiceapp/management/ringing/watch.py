"""Follows a call in the database and shows it as text while it is in progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sessions.calls.models import Call, ToolCall, TranscriptLine, Turn
from sessions.messages.texts.models import Text, TextState
from telephony.twilio.transfers.models import AttemptState, Transfer, TransferAttempt
from voiceapp.core.phones.numbers import show_number

# A line grows while the agent speaks: it is shown when its text has not changed for this time.
STABLE_AFTER_S = 0.6

TOOL_TEXTS = {
    "look_up_items": "looks at the menu",
    "change_order": "changes the order",
    "read_back_order": "reads the order back",
    "submit_order": "submits the order",
    "look_up_services": "looks at the services",
    "find_appointment_times": "looks for free times",
    "choose_appointment": "fills in the appointment",
    "read_back_appointment": "reads the appointment back",
    "book_appointment": "books the appointment",
    "find_my_appointments": "looks up the caller's appointments",
    "move_appointment": "moves an appointment",
    "cancel_appointment": "cancels an appointment",
    "send_text": "sends a text",
    "transfer_call": "transfers the call",
    "end_call": "ends the call",
    "get_opening_hours": "looks at the hours",
}


@dataclass
class CallWatch:
    """Remembers what was shown of one call; `new_lines()` yields the rest as lines of text."""

    call: Call
    _shown_lines: dict[str, str] = field(default_factory=dict)
    _unstable: dict[str, tuple[str, float]] = field(default_factory=dict)
    _shown_tools: set[int] = field(default_factory=set)
    _shown_turns: set[int] = field(default_factory=set)
    _shown_after: set[str] = field(default_factory=set)

    def new_lines(self, *, is_last: bool = False) -> Iterator[str]:
        """Lines that were not shown before; with `is_last` also those that may still change."""
        found: list[tuple[int, int, str]] = []
        for line in TranscriptLine.objects.filter(call=self.call):
            text = self._line_text(line, is_last=is_last)
            if text:
                found.append((line.spoken_at_ms, 0, text))
        latest_ms = max((at_ms for at_ms, _, _ in found), default=1 << 40)
        for tool in ToolCall.objects.filter(call=self.call).exclude(pk__in=self._shown_tools):
            self._shown_tools.add(tool.pk)
            outcome = "" if tool.outcome == ToolCall.Outcome.DONE else f" ({tool.outcome})"
            found.append((latest_ms, 1, f"   · {TOOL_TEXTS.get(tool.name, tool.name)}{outcome}, {tool.duration_ms} ms"))
        for turn in Turn.objects.filter(call=self.call, response_ms__isnull=False).exclude(pk__in=self._shown_turns):
            self._shown_turns.add(turn.pk)
            found.append((latest_ms, 2, f"   · turn {turn.number}: {response_text(turn)}"))
        for _, _, text in sorted(found):
            yield text
        for text in [*self._texts(), *self._transfers()]:
            if text not in self._shown_after:
                self._shown_after.add(text)
                yield text

    def _texts(self) -> Iterator[str]:
        sent = Text.objects.filter(call=self.call, state__in=(TextState.SENT, TextState.DELIVERED))
        for text in sent.order_by("created_at"):
            yield f"   · SMS to {show_number(text.number)}: {text.body}"

    def _transfers(self) -> Iterator[str]:
        for transfer in Transfer.objects.filter(call=self.call).prefetch_related("attempts"):
            for attempt in transfer.attempts.all():
                yield from _attempt_texts(transfer, attempt)
            if not transfer.is_live:
                talked = "" if transfer.talk_s is None else f", {transfer.talk_s} s"
                yield f"   · transfer to {transfer.name}: {transfer.get_state_display().lower()}{talked}"

    def _line_text(self, line: TranscriptLine, *, is_last: bool) -> str:
        shown = self._shown_lines.get(line.item_id)
        text = f"{line.text} —" if line.is_cut else line.text
        if not line.text or shown == text:
            return ""
        previous, since = self._unstable.get(line.item_id, ("", 0.0))
        now = time.monotonic()
        if previous != text:
            self._unstable[line.item_id] = (text, now)
            since = now
        if not is_last and now - since < STABLE_AFTER_S:
            return ""
        self._shown_lines[line.item_id] = text
        who = "Caller" if line.speaker == TranscriptLine.Speaker.CALLER else "Agent "
        if shown is None:
            return f"{who} {text}"
        if not line.is_cut and text.startswith(shown):  # VAPI gives the text of an utterance sentence by sentence
            return f"       {text.removeprefix(shown).strip()}"
        return f"       (interrupted; heard: {text})"


def _attempt_texts(transfer: Transfer, attempt: TransferAttempt) -> Iterator[str]:
    if attempt.dialed_at is not None:
        yield f"   · {attempt.name} is called at {show_number(attempt.number)}"
    if attempt.answered_at is not None:
        yield f"   · {attempt.name} answers and hears: {transfer.summary}"
    if attempt.state not in (AttemptState.PLANNED, AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED):
        yield f"   · {attempt.name}: {attempt.get_state_display().lower()}"


def response_text(turn: Turn) -> str:
    """The response time of a turn with its parts."""
    parts = [("detection", turn.detection_ms), ("model", turn.model_ms), ("playout", turn.playout_ms)]
    known = ", ".join(f"{name} {value}" for name, value in parts if value is not None)
    return f"response time {turn.response_ms} ms" + (f" ({known})" if known else "")
