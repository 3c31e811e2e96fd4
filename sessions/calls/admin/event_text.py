"""The events of a call's timeline as sentences. An event without a sentence is shown by its kind and its details."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import CallState
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.reasons import TextReason

Detail = Mapping[str, Any]

UNITS = (("_ms", "ms"), ("_s", "s"), ("_usd", "USD"))
REFUSALS = {
    "organization": _("the organization has reached its maximum of concurrent calls"),
    "server": _("the server has reached its maximum of concurrent calls"),
    "caller": _("the caller already has two live calls"),
    "draining": _("the server is shutting down"),
    "number_switched_off": _("the phone number is inactive"),
    "no_agent": _("there is no default agent"),
    "not_published": _("the agent is not published"),
    "paused": _("the agent is paused"),
    "closed": _("it is outside the opening hours"),
}
NEXT_STEPS = {
    "hang_up": _("hang up"),
    "dial": _("transfer to {target}"),
    "apologize_and_dial": _("apologize and transfer to {target}"),
    "hold": _("hold the line for {target}"),
    "back_to_agent": _("back to the agent"),
    "take_message": _("take a message"),
    "apologize_and_take_message": _("apologize and take a message"),
}


def event_sentence(kind: str, detail: object) -> str:
    """“The caller interrupted the agent in turn 1, after 0.85 s of its answer.”"""
    known: Detail = detail if isinstance(detail, Mapping) else {}
    if kind in set(CallState) and known.get("by") == "request":
        return gettext("The call was set to “%(state)s” over the API.") % {"state": CallState(kind).label.lower()}
    sentence = SENTENCES.get(kind)
    if callable(sentence):
        return sentence(known)
    if sentence is not None:
        return str(sentence)
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
    return f"{ms / 1000:.2f} s" if isinstance(ms, int | float) else gettext("an unknown time")


def _ringing(detail: Detail) -> str:
    refused_for = str(detail.get("refused_for", ""))
    if not refused_for:
        return gettext("The call is ringing.")
    why = REFUSALS.get(refused_for, refused_for.replace("_", " "))
    return gettext("The call was refused: %(why)s.") % {"why": why}


def _ended(detail: Detail) -> str:
    reason = str(detail.get("reason", ""))
    if reason not in set(EndReason):
        return gettext("The call ended.")
    return gettext("The call ended: %(reason)s.") % {"reason": gettext(EndReason(reason).label)}


NOT_PLACED = {
    "no_caller_id": _("No call is placed: there is no caller ID to show."),
    "too_many_today": _("No call is placed: the maximum of transfer calls per day is reached."),
}


def _stream_over(detail: Detail) -> str:
    step = str(NEXT_STEPS.get(str(detail.get("next", "")), "")).format(
        target=detail.get("target") or gettext("a person")
    )
    next_step = gettext("Next: %(step)s.") % {"step": step} if step else ""
    why = str(NOT_PLACED.get(str(detail.get("why", "")), ""))
    return " ".join(filter(None, (gettext("The audio stream ended."), next_step, why)))


TRANSFER_OUTCOMES = {
    "declined": _("{target} declined the call"),
    "not_accepted": _("{target} answered and did not accept the call"),
    "no_answer": _("{target} did not answer"),
    "busy": _("{target} was busy"),
    "refused": _("The carrier refused to show the caller's number to {target}"),
    "failed": _("{target} could not be called"),
    "canceled": _("The call to {target} was canceled"),
}
NOT_CALLED = {
    "our_own": _("the number is answered by an agent"),
    "no_country": _("the organization has no country"),
    "foreign": _("the number is in a country that is not allowed"),
    "the_callers": _("it is the caller's own number"),
    "not_dialable": _("the number may not be called"),
    "too_many_today": _("the maximum of transfer calls per day is reached"),
    "conference_refused": _("the carrier refused the conference"),
    "hung_up": _("the person hung up before being connected"),
    "not_joined": _("the caller was not connected in time"),
    "no_word": _("the carrier reported nothing"),
}


def _why(detail: Detail) -> str:
    why = str(detail.get("why", ""))
    return f": {NOT_CALLED.get(why, why)}" if why else ""


def _transfer_attempt(detail: Detail) -> str:
    outcome = str(TRANSFER_OUTCOMES.get(str(detail.get("outcome", "")), _("{target} is called")))
    return f"{outcome.format(target=_target(detail))}{_why(detail)}."


def _transfer_over(detail: Detail) -> str:
    match detail.get("status"):
        case "nobody":
            return gettext("Nobody took the call%(why)s.") % {"why": _why(detail)}
        case "caller_left":
            return gettext("The caller hung up while waiting.")
    return _lasting(_("The transfer ended"), "status")(detail)


def _lost(detail: Detail) -> str:
    reason = " ".join(str(detail[name]) for name in ("code", "reason") if detail.get(name) not in (None, ""))
    known = f" ({reason})" if reason else ""
    return gettext("The connection to the AI provider was lost%(reason)s.") % {"reason": known} + _wait(detail)


def _wait(detail: Detail) -> str:
    if not detail.get("wait_ms"):
        return ""
    sentence = gettext("The next attempt is in %(time)s.") % {"time": _seconds(detail["wait_ms"])}
    return f" {sentence}"


def _response(text: StrOrPromise) -> Callable[[Detail], str]:
    def sentence(detail: Detail) -> str:
        return f"{_with(text, 'code', 'purpose')(detail)}{_wait(detail)}"

    return sentence


def _replaced(detail: Detail) -> str:
    field, was, now = (str(detail.get(name, "")) for name in ("field", "was", "now"))
    facts = {"field": field.replace("_", " "), "was": was, "now": now}
    if not now:
        return gettext("The %(field)s “%(was)s” was left out: the AI provider does not accept it.") % facts
    return gettext("The %(field)s “%(was)s” was replaced by “%(now)s”: the AI provider does not accept it.") % facts


def _with(text: StrOrPromise, *names: str) -> Callable[[Detail], str]:
    """The text, with what is known of these fields in parentheses."""

    def sentence(detail: Detail) -> str:
        known = ", ".join(_plain(detail[name]) for name in names if detail.get(name) not in (None, ""))
        return f"{text} ({known})." if known else f"{text}."

    return sentence


def _provider(name: object) -> str:
    return {"openai": "OpenAI", "vapi": "VAPI"}.get(str(name), gettext("The AI provider"))


def _reason(why: object) -> str:
    return f" ({why})" if why else ""


def _by(detail: Detail) -> str:
    return str(detail.get("by") or gettext("Somebody"))


def _target(detail: Detail) -> str:
    return str(detail.get("target") or gettext("A person"))


def _who(text: StrOrPromise) -> Callable[[Detail], str]:
    def sentence(detail: Detail) -> str:
        reason = f" ({_plain(detail['reason'])})" if detail.get("reason") else ""
        who = str(detail.get("who") or gettext("somebody")).replace("_", " ").capitalize()
        return f"{text % {'who': who}}{reason}."

    return sentence


def _tool(text: StrOrPromise) -> Callable[[Detail], str]:
    return lambda detail: str(text).format(tool=detail.get("tool") or gettext("unknown"))


def _lasting(text: StrOrPromise, *names: str) -> Callable[[Detail], str]:
    """A sentence with a duration in seconds."""

    def sentence(detail: Detail) -> str:
        seconds = detail.get("duration_s")
        after = gettext("after %(seconds)s s") % {"seconds": seconds} if isinstance(seconds, int) else ""
        return _with(f"{text} {after}".rstrip(), *names)(detail)

    return sentence


def _appointment(text: StrOrPromise) -> Callable[[Detail], str]:
    def sentence(detail: Detail) -> str:
        facts = {name: detail.get(name, "?") for name in ("number", "service", "at")}
        return text % {**facts, "service": _plain(facts["service"])}

    return sentence


def _said(text: StrOrPromise, /, **facts: Callable[[Detail], object]) -> Callable[[Detail], str]:
    """The text with these facts in it."""
    return lambda detail: text % {name: fact(detail) for name, fact in facts.items()}


def _fact(name: str, unknown: StrOrPromise = "?") -> Callable[[Detail], object]:
    return lambda detail: detail.get(name) or unknown


def _voicemail(detail: Detail) -> str:
    why_empty = f" {detail['empty']}" if detail.get("empty") else ""
    duration = detail.get("duration_s", gettext("unknown"))
    return gettext("The voicemail of %(duration)s s is stored.") % {"duration": duration} + why_empty


def _text_kind(detail: Detail) -> str:
    kind = str(detail.get("kind", ""))
    return TextKind(kind).label.lower() if kind in set(TextKind) else gettext("unknown kind")


def _text_reason(detail: Detail) -> str:
    reason = str(detail.get("reason", ""))
    words = TextReason(reason).label.lower() if reason in set(TextReason) else gettext("unknown reason")
    if not detail.get("code"):
        return words
    return gettext("%(reason)s (error %(code)s)") % {"reason": words, "code": detail["code"]}


def _declined(detail: Detail) -> str:
    said = gettext("The caller did not want to be recorded.")
    if detail.get("by") == "key":
        said = gettext("The caller did not want to be recorded (key of the phone).")
    emptied = gettext("What was said is not kept in writing either.") if detail.get("transcript") == "emptied" else ""
    return f"{said} {emptied}".rstrip()


SENTENCES: Mapping[str, StrOrPromise | Callable[[Detail], str]] = {
    "ringing": _ringing,
    "connected": _("The call was connected."),
    "ended": _ended,
    "requested": _with(_("The call was requested over the API"), "call_type"),
    "interrupted": _said(
        _("The caller interrupted the agent in turn %(turn)s, after %(time)s of its answer."),
        turn=_fact("turn"),
        time=lambda detail: _seconds(detail.get("heard_ms")),
    ),
    "order_submitted": _said(
        _("Order No. %(number)s was submitted, total %(total)s."), number=_fact("number"), total=_fact("total")
    ),
    "appointment_booked": _appointment(_("Appointment No. %(number)s (%(service)s) was booked for %(at)s.")),
    "appointment_moved": _appointment(_("Appointment No. %(number)s (%(service)s) was moved to %(at)s.")),
    "appointment_canceled": _appointment(
        _("Appointment No. %(number)s (%(service)s) was canceled, which was on %(at)s.")
    ),
    # The phone line
    "stream_lost": _with(_("The audio connection was lost"), "why"),
    "stream_error": _with(_("The carrier reported an error of the audio stream"), "error"),
    "stream_over": _stream_over,
    "transfer_attempt": _transfer_attempt,
    "transfer_number_refused": _said(_("%(target)s is not called%(why)s."), target=_target, why=_why),
    "transfer_accepted": _said(_("%(target)s accepted the call."), target=_target),
    "transfer_joined": _said(_("%(target)s talks to the caller."), target=_target),
    "transfer_over": _transfer_over,
    "agent_back": _("The caller is back with the agent."),
    "message_left": _said(
        _("The caller left a message of %(duration)s s (recording %(recording)s)."),
        duration=_fact("duration_s", _("unknown")),
        recording=_fact("recording_sid", _("unknown")),
    ),
    "message_missing": _with(
        _("The carrier recorded no message: the caller said nothing, or hung up"), "status", "error"
    ),
    "voicemail_stored": _voicemail,
    "voicemail_failed": _with(_("The voicemail could not be fetched"), "why"),
    "voicemail_lost": _said(_("The voicemail is lost. %(why)s"), why=_fact("why", _("The reason is unknown."))),
    "hung_up_at_the_carrier": _("The server ended the call at the carrier."),
    # VAPI's server URL
    "agent_slow": _("VAPI reports that its assistant is slow to answer."),
    "vapi_report": _with(_("VAPI's report of the call was received"), "reason"),
    "vapi_report_missing": _("VAPI has no report of the call: its cost and its recording are unknown."),
    "vapi_call_ended_by_us": _("The call went on at VAPI after its end here; the server ended it there."),
    "vapi_transfer": _with(_("VAPI transferred the call"), "to"),
    "transfer_at_vapi": _with(_("VAPI connects the caller"), "target"),
    "transfer_failed": _with(_("The transfer failed"), "target", "why"),
    "note_given": _("The agent got a note for the caller."),
    # What people did while it was live (voiceapp/console/live_calls)
    "operator_hint": _said(_("%(who)s whispered “%(text)s” to the agent."), who=_by, text=_fact("text", "")),
    "hint_given": _("The agent has the hint."),
    "operator_hang_up": _said(_("%(who)s ended the call."), who=_by),
    "operator_hand_over": _said(
        _("%(who)s handed the caller over to %(target)s."), who=_by, target=_fact("target", _("a person"))
    ),
    "listening_began": _said(_("%(who)s started listening in."), who=_by),
    "listening_ended": _said(_("%(who)s stopped listening in."), who=_by),
    "session_changed_by_page": _with(_("The page tried to change the agent; it was put back"), "code"),
    "browser_joined": _("The browser is connected to the AI provider."),
    "browser_lost": _("The AI provider has lost the browser."),
    "browser_reconnecting": _("The browser connects anew."),
    "browser_returned": _("The browser is connected anew, and the agent has the conversation so far."),
    "line_returned": _("The page's line broke, and was back in time."),
    # The AI provider
    "greeting_played": _("The kept greeting was played."),
    "agent_ready": lambda detail: (
        gettext("The AI provider is connected, by a link from before the call.")
        if detail.get("was_idle")
        else gettext("The AI provider is connected.")
    ),
    "agent_resumed": _("The AI provider is connected again, with the conversation so far."),
    "agent_lost": _lost,
    "agent_left": _with(_("The AI provider ended the conversation"), "code"),
    "failed_over": _said(
        _("%(first)s did not answer%(why)s: %(second)s took the call."),
        first=lambda detail: _provider(detail.get("from")),
        why=lambda detail: _reason(detail.get("why")),
        second=lambda detail: _provider(detail.get("to")),
    ),
    "provider_call": _with(_("The AI provider opened a call of its own"), "code"),
    "provider_transfer": _("The AI provider reported a transfer. Only a transfer target of the agent's can be dialed."),
    "tool_elsewhere": _("The AI provider used a tool of its own."),
    "session_renewed": _("The AI provider's session was renewed before it expired."),
    "provider_error": _with(_("The AI provider reported an error"), "code"),
    "field_replaced": _replaced,
    "response_stuck": _with(_("The AI provider did not finish its response"), "code"),
    "transcription_failed": _with(_("The caller's speech could not be transcribed"), "code"),
    "answer_overdue": _("The AI provider did not respond in time; the request was repeated."),
    "answer_given_up": _("The AI provider did not respond."),
    "speech_end_missing": _("The AI provider did not report the end of the caller's speech."),
    "turn_missing": _("The AI provider did not understand the caller; the agent asked again."),
    "truncation_unconfirmed": _("The AI provider did not confirm an interruption."),
    "session_update_unconfirmed": _("The AI provider did not confirm the session's settings."),
    "response_failed": _response(_("The AI provider failed to respond")),
    "response_not_heard": _response(_("The caller did not hear a response")),
    "echoes_lost": _("The carrier did not confirm played audio."),
    "tone_played": _("A tone was played while the caller waited."),
    "farewell_interrupted": _("The caller interrupted the goodbye."),
    # Texts
    "text_queued": _said(_("A text was queued: %(kind)s."), kind=_text_kind),
    "text_not_sent": _said(_("No text was sent (%(kind)s): %(reason)s."), kind=_text_kind, reason=_text_reason),
    "text_failed": _said(_("A text was not delivered (%(kind)s): %(reason)s."), kind=_text_kind, reason=_text_reason),
    # Tools
    "tool_ended_late": _tool(_("The tool “{tool}” finished after its time limit; its result was not used.")),
    "tool_timed_out": _tool(_("The tool “{tool}” exceeded its time limit.")),
    "tool_not_run": _tool(_("The tool “{tool}” was not run.")),
    "tool_call_lost": _tool(_("A call of the tool “{tool}” was lost with the connection to the AI provider.")),
    # Rooms
    "room_opened": _("The room was opened."),
    "room_closed": _with(_("The room was closed"), "reason"),
    "room_not_opened": _with(_("The room could not be opened"), "error"),
    "reopened_room_closed": _("The room had been opened again after the call, and was closed."),
    "participant_joined": _who(_("%(who)s joined")),
    "participant_left": _who(_("%(who)s left")),
    "participant_failed_to_join": _who(_("%(who)s could not join")),
    "participant_removed": _with(_("A participant without a token was removed"), "kind"),
    "agent_requested_again": _with(_("The agent had not joined the room, and was requested again"), "identity"),
    "agent_replaced": _with(_("The agent was lost, and another one was requested in its place"), "identity"),
    "agent_silenced": _("The agent was made silent."),
    "agent_unsilenced": _("The agent may speak again."),
    "agent_never_joined": _with(_("The agent did not join the room"), "identity"),
    # Recordings
    "recording_started": _with(_("The recording started"), "file_type"),
    "recording_ended": _with(_("The recording ended"), "status", "error"),
    "recording_declined": _declined,
    "recording_deleted": _with(_("The recording was deleted"), "why"),
    "recording_failed": _with(_("The recording failed"), "reason"),
}
