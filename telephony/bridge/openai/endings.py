"""How a response of OpenAI's ended (`response.done`): whether the caller heard an answer, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.bridge.core.events import ErrorClass, Outcome, ResponseEnded

from . import frames as wire
from .errors import error_class, wait_named_ms
from .responses import OpenResponse, Request

TOOL_LOST = "tool_call_lost"
NO_AUDIO = "no_audio"
NEVER_BEGAN = "never_began"
NEVER_ENDED = "never_ended"


@dataclass(frozen=True, slots=True)
class Heard:
    """What there was of the response. `is_whole`: each of its audible items was sent to its end. `is_dropped`: we or
    the caller stopped it."""

    is_audible: bool
    is_whole: bool
    is_dropped: bool
    has_calls: bool
    has_lost_calls: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    code: str = ""
    error: ErrorClass = ErrorClass.AGAIN
    wait_ms: int | None = None


def judge(done: wire.Response, heard: Heard) -> Verdict:
    """A response counts as an answer when it was audible to its end, or only called tools, and no call was lost."""
    details = done.status_details or wire.StatusDetails()
    reason = details.reason or ""
    if done.status == "failed":
        error = details.error or wire.ErrorBody()
        return failed(error, default="failed")
    if heard.is_dropped:
        return Verdict(Outcome.CANCELLED, reason)
    if heard.has_lost_calls:
        return Verdict(Outcome.UNANSWERED, TOOL_LOST)
    if done.status in ("cancelled", "incomplete"):
        return Verdict(Outcome.UNANSWERED, reason or done.status)
    if any(item.type == "message" and item.status == "incomplete" for item in done.output):
        return Verdict(Outcome.UNANSWERED, "incomplete")
    if not (heard.is_audible or heard.has_calls):
        return Verdict(Outcome.UNANSWERED, NEVER_ENDED if done.status == NEVER_ENDED else NO_AUDIO)
    if done.status != "completed" and not heard.is_whole:
        return Verdict(Outcome.UNANSWERED, NEVER_ENDED if done.status == NEVER_ENDED else "unknown_status")
    return Verdict(Outcome.COMPLETED, reason)


def failed(error: wire.ErrorBody, *, default: str) -> Verdict:
    """The provider says that it failed, with an error of its own."""
    code = error.code or error.type or default
    return Verdict(Outcome.FAILED, code, error_class(error), wait_named_ms(error.message))


def heard_of(response: OpenResponse | None, *, has_calls: bool, has_lost_calls: bool) -> Heard:
    items = [item for item in (response.items if response else ()) if item.has_begun]
    return Heard(
        is_audible=bool(items),
        is_whole=all(item.is_complete for item in items),
        is_dropped=response is not None and response.is_dropped,
        has_calls=has_calls,
        has_lost_calls=has_lost_calls,
    )


def ended_event(request: Request, verdict: Verdict, heard: Heard | None = None) -> ResponseEnded:
    return ResponseEnded(
        request.purpose,
        request.say,
        verdict.outcome,
        verdict.code,
        verdict.error,
        verdict.wait_ms,
        is_audible=heard is not None and heard.is_audible,
        is_followed=heard is not None and heard.has_calls,
    )
