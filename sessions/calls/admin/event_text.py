"""The events of a call's timeline as sentences. An event without a sentence is shown by its kind and its details."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import CallState
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.reasons import TextReason

Detail = Mapping[str, Any]

UNITS = (("_ms", "ms"), ("_s", "s"), ("_usd", "USD"))
REFUSALS = {
    "organization": "the organization has reached its maximum of concurrent calls",
    "server": "the server has reached its maximum of concurrent calls",
    "caller": "the caller already has two live calls",
    "draining": "the server is shutting down",
    "number_switched_off": "the phone number is inactive",
    "no_agent": "there is no default agent",
    "not_published": "the agent is not published",
    "paused": "the agent is paused",
    "closed": "it is outside the opening hours",
}
NEXT_STEPS = {
    "hang_up": "hang up",
    "dial": "transfer to {target}",
    "apologize_and_dial": "apologize and transfer to {target}",
    "hold": "hold the line for {target}",
    "back_to_agent": "back to the agent",
    "take_message": "take a message",
    "apologize_and_take_message": "apologize and take a message",
}


def event_sentence(kind: str, detail: object) -> str:
    """“The caller interrupted the agent in turn 1, after 0.85 s of its answer.”"""
    known: Detail = detail if isinstance(detail, Mapping) else {}
    if kind in set(CallState) and known.get("by") == "request":
        return f"The call was set to “{CallState(kind).label.lower()}” over the API."
    sentence = SENTENCES.get(kind)
    if callable(sentence):
        return sentence(known)
    if sentence is not None:
        return sentence
    name, more = kind.replace("_", " ").capitalize(), details(known)
    return f"{name}: {more}" if more else f"{name}."


def details(detail: object) -> str:
    """“text hello, duration 900 ms”: the fields of an event in one line."""
    if not isinstance(detail, Mapping):
        return ""
    return ", ".join(_field(str(name), value) for name, value in sorted(detail.items()) if value not in (None, ""))


def _field(name: str, value: object) -> str:
    for ending, unit in UNITS:
        if name.endswith(ending) and isinstance(value, int | float):
            return f"{name.removesuffix(ending).replace('_', ' ')} {number_text(value)} {unit}"
    return f"{name.replace('_', ' ')} {_plain(value)}"


def _plain(value: object) -> str:
    """Codes like agent_hung_up as words, numbers without the noise of floats."""
    if isinstance(value, float):
        return number_text(value)
    return value.replace("_", " ") if isinstance(value, str) and value.islower() else str(value)


def number_text(value: float) -> str:
    """“1,234”, “13.6”: at most three decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")


def _seconds(ms: object) -> str:
    return f"{ms / 1000:.2f} s" if isinstance(ms, int | float) else "an unknown time"


def _ringing(detail: Detail) -> str:
    refused_for = str(detail.get("refused_for", ""))
    if not refused_for:
        return "The call is ringing."
    return f"The call was refused: {REFUSALS.get(refused_for, refused_for.replace('_', ' '))}."


def _ended(detail: Detail) -> str:
    reason = str(detail.get("reason", ""))
    return f"The call ended: {EndReason(reason).label}." if reason in set(EndReason) else "The call ended."


NOT_PLACED = {
    "no_caller_id": " No call is placed: there is no caller ID to show.",
    "too_many_today": " No call is placed: the maximum of transfer calls per day is reached.",
}


def _stream_over(detail: Detail) -> str:
    step = NEXT_STEPS.get(str(detail.get("next", "")), "").format(target=detail.get("target") or "a person")
    why = NOT_PLACED.get(str(detail.get("why", "")), "")
    return f"The audio stream ended.{f' Next: {step}.' if step else ''}{why}"


TRANSFER_OUTCOMES = {
    "declined": "{target} declined the call",
    "not_accepted": "{target} answered and did not accept the call",
    "no_answer": "{target} did not answer",
    "busy": "{target} was busy",
    "refused": "The carrier refused to show the caller's number to {target}",
    "failed": "{target} could not be called",
    "canceled": "The call to {target} was canceled",
}
NOT_CALLED = {
    "our_own": "the number is answered by an agent",
    "no_country": "the organization has no country",
    "foreign": "the number is in a country that is not allowed",
    "the_callers": "it is the caller's own number",
    "not_dialable": "the number may not be called",
    "too_many_today": "the maximum of transfer calls per day is reached",
    "conference_refused": "the carrier refused the conference",
    "hung_up": "the person hung up before being connected",
    "not_joined": "the caller was not connected in time",
    "no_word": "the carrier reported nothing",
}


def _why(detail: Detail) -> str:
    why = str(detail.get("why", ""))
    return f": {NOT_CALLED.get(why, why)}" if why else ""


def _transfer_attempt(detail: Detail) -> str:
    outcome = TRANSFER_OUTCOMES.get(str(detail.get("outcome", "")), "{target} is called")
    return f"{outcome.format(target=detail.get('target') or 'A person')}{_why(detail)}."


def _transfer_over(detail: Detail) -> str:
    match detail.get("status"):
        case "nobody":
            return f"Nobody took the call{_why(detail)}."
        case "caller_left":
            return "The caller hung up while waiting."
    return _lasting("The transfer ended", "status")(detail)


def _lost(detail: Detail) -> str:
    reason = " ".join(str(detail[name]) for name in ("code", "reason") if detail.get(name) not in (None, ""))
    wait = f" The next attempt is in {_seconds(detail['wait_ms'])}." if detail.get("wait_ms") else ""
    return f"The connection to the AI provider was lost{f' ({reason})' if reason else ''}.{wait}"


def _response(text: str) -> Callable[[Detail], str]:
    def sentence(detail: Detail) -> str:
        wait = f" The next attempt is in {_seconds(detail['wait_ms'])}." if detail.get("wait_ms") else ""
        return f"{_with(text, 'code', 'purpose')(detail)}{wait}"

    return sentence


def _replaced(detail: Detail) -> str:
    field, was, now = (str(detail.get(name, "")) for name in ("field", "was", "now"))
    name = field.replace("_", " ")
    if not now:
        return f"The {name} “{was}” was left out: the AI provider does not accept it."
    return f"The {name} “{was}” was replaced by “{now}”: the AI provider does not accept it."


def _with(text: str, *names: str) -> Callable[[Detail], str]:
    """The text, with what is known of these fields in parentheses."""

    def sentence(detail: Detail) -> str:
        known = ", ".join(_plain(detail[name]) for name in names if detail.get(name) not in (None, ""))
        return f"{text} ({known})." if known else f"{text}."

    return sentence


def _provider(name: object) -> str:
    return {"openai": "OpenAI", "vapi": "VAPI"}.get(str(name), "The AI provider")


def _reason(why: object) -> str:
    return f" ({why})" if why else ""


def _by(detail: Detail) -> str:
    return str(detail.get("by") or "Somebody")


def _who(action: str) -> Callable[[Detail], str]:
    def sentence(detail: Detail) -> str:
        reason = f" ({_plain(detail['reason'])})" if detail.get("reason") else ""
        return f"{str(detail.get('who') or 'somebody').replace('_', ' ').capitalize()} {action}{reason}."

    return sentence


def _tool(text: str) -> Callable[[Detail], str]:
    return lambda detail: text.format(tool=detail.get("tool") or "unknown")


def _lasting(text: str, *names: str) -> Callable[[Detail], str]:
    """A sentence with a duration in seconds."""

    def sentence(detail: Detail) -> str:
        seconds = detail.get("duration_s")
        lasted = f" after {seconds} s" if isinstance(seconds, int) else ""
        return _with(f"{text}{lasted}", *names)(detail)

    return sentence


def _appointment(action: str) -> Callable[[Detail], str]:
    return lambda detail: (
        f"Appointment No. {detail.get('number', '?')} ({_plain(detail.get('service', '?'))}) was {action} "
        f"{detail.get('at', '?')}."
    )


def _voicemail(detail: Detail) -> str:
    why_empty = f" {detail['empty']}" if detail.get("empty") else ""
    return f"The voicemail of {detail.get('duration_s', 'unknown')} s is stored.{why_empty}"


def _text_kind(detail: Detail) -> str:
    kind = str(detail.get("kind", ""))
    return TextKind(kind).label.lower() if kind in set(TextKind) else "unknown kind"


def _text_reason(detail: Detail) -> str:
    reason = str(detail.get("reason", ""))
    words = TextReason(reason).label.lower() if reason in set(TextReason) else "unknown reason"
    return f"{words} (error {detail['code']})" if detail.get("code") else words


SENTENCES: Mapping[str, str | Callable[[Detail], str]] = {
    "ringing": _ringing,
    "connected": "The call was connected.",
    "ended": _ended,
    "requested": _with("The call was requested over the API", "call_type"),
    "interrupted": lambda detail: (
        f"The caller interrupted the agent in turn {detail.get('turn', '?')}, "
        f"after {_seconds(detail.get('heard_ms'))} of its answer."
    ),
    "order_submitted": lambda detail: (
        f"Order No. {detail.get('number', '?')} was submitted, total {detail.get('total', '?')}."
    ),
    "appointment_booked": _appointment("booked for"),
    "appointment_moved": _appointment("moved to"),
    "appointment_canceled": _appointment("canceled, which was on"),
    # The phone line
    "stream_lost": _with("The audio connection was lost", "why"),
    "stream_error": _with("The carrier reported an error of the audio stream", "error"),
    "stream_over": _stream_over,
    "transfer_attempt": _transfer_attempt,
    "transfer_number_refused": lambda detail: f"{detail.get('target') or 'A person'} is not called{_why(detail)}.",
    "transfer_accepted": lambda detail: f"{detail.get('target') or 'A person'} accepted the call.",
    "transfer_joined": lambda detail: f"{detail.get('target') or 'A person'} talks to the caller.",
    "transfer_over": _transfer_over,
    "agent_back": "The caller is back with the agent.",
    "message_left": lambda detail: (
        f"The caller left a message of {detail.get('duration_s') or 'unknown'} s "
        f"(recording {detail.get('recording_sid', 'unknown')})."
    ),
    "message_missing": _with("The carrier recorded no message: the caller said nothing, or hung up", "status", "error"),
    "voicemail_stored": _voicemail,
    "voicemail_failed": _with("The voicemail could not be fetched", "why"),
    "voicemail_lost": lambda detail: f"The voicemail is lost. {detail.get('why') or 'The reason is unknown.'}",
    "hung_up_at_the_carrier": "The server ended the call at the carrier.",
    # VAPI's server URL
    "agent_slow": "VAPI reports that its assistant is slow to answer.",
    "vapi_report": _with("VAPI's report of the call was received", "reason"),
    "vapi_report_missing": "VAPI has no report of the call: its cost and its recording are unknown.",
    "vapi_call_ended_by_us": "The call went on at VAPI after its end here; the server ended it there.",
    "vapi_transfer": _with("VAPI transferred the call", "to"),
    "transfer_at_vapi": _with("VAPI connects the caller", "target"),
    "transfer_failed": _with("The transfer failed", "target", "why"),
    "note_given": "The agent got a note for the caller.",
    # What people did while it was live (voiceapp/console/live_calls)
    "operator_hint": lambda detail: f"{_by(detail)} whispered “{detail.get('text', '')}” to the agent.",
    "hint_given": "The agent has the hint.",
    "operator_hang_up": lambda detail: f"{_by(detail)} ended the call.",
    "operator_hand_over": lambda detail: f"{_by(detail)} handed the caller over to {detail.get('target', 'a person')}.",
    "listening_began": lambda detail: f"{_by(detail)} started listening in.",
    "listening_ended": lambda detail: f"{_by(detail)} stopped listening in.",
    "session_changed_by_page": _with("The page tried to change the agent; it was put back", "code"),
    "browser_joined": "The browser is connected to the AI provider.",
    "browser_lost": "The AI provider has lost the browser.",
    "browser_reconnecting": "The browser connects anew.",
    "browser_returned": "The browser is connected anew, and the agent has the conversation so far.",
    "line_returned": "The page's line broke, and was back in time.",
    # The AI provider
    "greeting_played": "The kept greeting was played.",
    "agent_ready": lambda detail: (
        f"The AI provider is connected{', by a link from before the call' if detail.get('was_idle') else ''}."
    ),
    "agent_resumed": "The AI provider is connected again, with the conversation so far.",
    "agent_lost": _lost,
    "agent_left": _with("The AI provider ended the conversation", "code"),
    "failed_over": lambda detail: (
        f"{_provider(detail.get('from'))} did not answer{_reason(detail.get('why'))}: "
        f"{_provider(detail.get('to'))} took the call."
    ),
    "provider_call": _with("The AI provider opened a call of its own", "code"),
    "provider_transfer": "The AI provider reported a transfer. Only a transfer target of the agent's can be dialed.",
    "tool_elsewhere": "The AI provider used a tool of its own.",
    "session_renewed": "The AI provider's session was renewed before it expired.",
    "provider_error": _with("The AI provider reported an error", "code"),
    "field_replaced": _replaced,
    "response_stuck": _with("The AI provider did not finish its response", "code"),
    "transcription_failed": _with("The caller's speech could not be transcribed", "code"),
    "answer_overdue": "The AI provider did not respond in time; the request was repeated.",
    "answer_given_up": "The AI provider did not respond.",
    "speech_end_missing": "The AI provider did not report the end of the caller's speech.",
    "turn_missing": "The AI provider did not understand the caller; the agent asked again.",
    "truncation_unconfirmed": "The AI provider did not confirm an interruption.",
    "session_update_unconfirmed": "The AI provider did not confirm the session's settings.",
    "response_failed": _response("The AI provider failed to respond"),
    "response_not_heard": _response("The caller did not hear a response"),
    "echoes_lost": "The carrier did not confirm played audio.",
    "tone_played": "A tone was played while the caller waited.",
    "farewell_interrupted": "The caller interrupted the goodbye.",
    # Texts
    "text_queued": lambda detail: f"A text was queued: {_text_kind(detail)}.",
    "text_not_sent": lambda detail: f"No text was sent ({_text_kind(detail)}): {_text_reason(detail)}.",
    "text_failed": lambda detail: f"A text was not delivered ({_text_kind(detail)}): {_text_reason(detail)}.",
    # Tools
    "tool_ended_late": _tool("The tool “{tool}” finished after its time limit; its result was not used."),
    "tool_timed_out": _tool("The tool “{tool}” exceeded its time limit."),
    "tool_not_run": _tool("The tool “{tool}” was not run."),
    "tool_call_lost": _tool("A call of the tool “{tool}” was lost with the connection to the AI provider."),
    # Rooms
    "room_opened": "The room was opened.",
    "room_closed": _with("The room was closed", "reason"),
    "room_not_opened": _with("The room could not be opened", "error"),
    "reopened_room_closed": "The room had been opened again after the call, and was closed.",
    "participant_joined": _who("joined"),
    "participant_left": _who("left"),
    "participant_failed_to_join": _who("could not join"),
    "participant_removed": _with("A participant without a token was removed", "kind"),
    "agent_requested_again": _with("The agent had not joined the room, and was requested again", "identity"),
    "agent_replaced": _with("The agent was lost, and another one was requested in its place", "identity"),
    "agent_silenced": "The agent was made silent.",
    "agent_unsilenced": "The agent may speak again.",
    "agent_never_joined": _with("The agent did not join the room", "identity"),
    # Recordings
    "recording_started": _with("The recording started", "file_type"),
    "recording_ended": _with("The recording ended", "status", "error"),
    "recording_declined": lambda detail: (
        f"The caller did not want to be recorded{' (key of the phone)' if detail.get('by') == 'key' else ''}."
        f"{' What was said is not kept in writing either.' if detail.get('transcript') == 'emptied' else ''}"
    ),
    "recording_deleted": _with("The recording was deleted", "why"),
    "recording_failed": _with("The recording failed", "reason"),
}  # fmt: skip
