"""Each kind of event that a call's timeline has is shown as a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sessions.calls.admin.event_text import SENTENCES, details, event_sentence

ROOT = Path(__file__).parents[3]
PACKAGES = ("sessions", "recordings", "telephony")
# record_event(call, "kind", …), happened("kind", …), note("kind", …), Complaint("kind", …)
KIND = re.compile(
    r"""(?:record_event\([\w.]+,\s*|\.happened\(\s*|\.note(?:_once)?\(\s*|_note_of\(\w+,\s*|Complaint\(|"""
    r"""SomethingHappened\(\s*)"([a-z_]+)\""""
)


def kinds_in_the_source() -> set[str]:
    modules = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {
        kind
        for path in modules
        if "tests" not in path.relative_to(ROOT).parts
        for kind in KIND.findall(path.read_text())
    }


def test_every_kind_of_event_has_a_sentence() -> None:
    kinds = kinds_in_the_source()
    assert len(kinds) > 30
    assert kinds - set(SENTENCES) == set()


@pytest.mark.parametrize(
    ("kind", "detail", "sentence"),
    [
        ("interrupted", {"turn": 3, "heard_ms": 960},
         "The caller interrupted the agent in turn 3, after 0.96 s of its answer."),
        ("ended", {"reason": "agent_hung_up"}, "The call ended: Agent hung up."),
        ("ringing", {}, "The call is ringing."),
        ("ringing", {"refused_for": "paused"}, "The call was refused: the agent is paused."),
        ("ringing", {"refused_for": "organization"},
         "The call was refused: the organization has reached its maximum of concurrent calls."),
        ("failed", {"by": "request"}, "The call was set to “failed” over the API."),
        ("stream_over", {"next": "dial", "target": "desk"}, "The audio stream ended. Next: transfer to desk."),
        ("agent_lost", {"code": 1006, "reason": "", "wait_ms": 500},
         "The connection to the AI provider was lost (1006). The next attempt is in 0.50 s."),
        ("agent_ready", {"was_idle": 1}, "The AI provider is connected, by a link from before the call."),
        ("participant_left", {"who": "caller", "reason": "client_initiated"}, "Caller left (client initiated)."),
        ("field_replaced", {"field": "voice", "was": "nova", "now": "coral"},
         "The voice “nova” was replaced by “coral”: the AI provider does not accept it."),
        ("kind_of_tomorrow", {"delay_ms": 1200, "level": 0.1 + 0.2}, "Kind of tomorrow: delay 1,200 ms, level 0.3"),
        ("kind_of_tomorrow", "no object", "Kind of tomorrow."),
    ],
)  # fmt: skip
def test_an_event_is_a_sentence(kind: str, detail: object, sentence: str) -> None:
    assert event_sentence(kind, detail) == sentence


@pytest.mark.parametrize("kind", sorted(SENTENCES))
def test_details_may_be_missing(kind: str) -> None:
    assert event_sentence(kind, {}).endswith(".")
    assert "None" not in event_sentence(kind, {})


def test_details_name_their_units() -> None:
    assert details({"wait_ms": 1200, "empty": "", "code": "rate_limit"}) == "code rate limit, wait 1,200 ms"
