"""A garage's tools in memory, for conversations with a simulated model: three times are free, and one is booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INSTRUCTIONS = (Path(__file__).parent / "data" / "services_garage.txt").read_text(encoding="utf-8")
SCRIPT = (
    "Hi, I need an oil change on Thursday morning.",
    "Ten o'clock please.",
    "My name is Alice Walker.",
    "It's a Honda Civic.",
    "Yes, that's right.",
    "No, that's all, thank you.",
)
BOOKED = {
    "service": "Oil change",
    "time": "2026-12-03 10:00",
    "customer_name": "Alice Walker",
    "vehicle": "Honda Civic",
}
_TIMES = [{"time": f"2026-12-03 {clock}", "say": clock} for clock in ("09:00", "09:30", "10:00")]
_QUESTIONS = {"service": "Which service?", "time": "When?", "customer_name": "What is your name?"}


@dataclass(slots=True)
class Garage:
    """`calls`: the tools that were called, in order; `booked`: the appointment."""

    calls: list[str] = field(default_factory=list)
    draft: dict[str, str] = field(default_factory=dict)
    booked: dict[str, str] | None = None

    def run(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The output of a tool, as the product's tools have it."""
        self.calls.append(name)
        match name:
            case "find_appointment_times":
                assert arguments == {"service": "Oil change", "when": "thursday morning"}
                return {"ok": True, "say": "I have Thursday at 9, 9:30 or 10.", "times": _TIMES, "as_wished": True}
            case "choose_appointment":
                self.draft |= arguments
                missing = [question for key, question in _QUESTIONS.items() if key not in self.draft]
                shown = {**self.draft, "missing": missing}
                return {"ok": True, "say": missing[0] if missing else "Shall I repeat it?", "draft": shown}
            case "read_back_appointment":
                return {
                    "ok": True,
                    "say": "I have an oil change. Is that right?",
                    "draft": {**self.draft, "missing": []},
                }
            case "book_appointment":
                self.booked = dict(self.draft)
                return {"ok": True, "say": "It is booked.", "appointment": 1}
        return {"ok": True, "say": "Goodbye."}


EXPECTED_CALLS = [
    "find_appointment_times", "choose_appointment", "choose_appointment", "choose_appointment",
    "read_back_appointment", "book_appointment", "end_call",
]  # fmt: skip
TOOLS = tuple(dict.fromkeys(EXPECTED_CALLS))
