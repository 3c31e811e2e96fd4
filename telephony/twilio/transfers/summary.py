"""What a person hears of a call before accepting it: facts that the call has stored, in sentences of ours."""

from __future__ import annotations

from sessions.calls.models import Call, ToolCall
from sessions.orders.models import OrderState
from telephony.twilio.phrases import Phrase, phrase
from voiceapp.core.phones.numbers import CallerKind, read_caller

MOST_CHARACTERS = 1200  # a <Say> takes 4096


def summary_of(call: Call, *, language: str) -> str:
    """One text, in the language of the agent. Who calls, what it is about, and what the call has made so far."""
    organization = call.organization.name if call.organization else ""
    sentences = [phrase(Phrase.ANNOUNCEMENT, language, organization=organization)]
    sentences += _who(call, language)
    if reason := _reason(call):
        sentences.append(phrase(Phrase.ABOUT, language, reason=reason.rstrip(".!? ")))
    sentences += [
        phrase(Phrase.ORDER, language, number=order.number)
        for order in call.orders.exclude(state__in=(OrderState.REPLACED, OrderState.CANCELED)).order_by("created_at")
    ]
    return " ".join(sentences)[:MOST_CHARACTERS]


def _who(call: Call, language: str) -> list[str]:
    sentences = []
    name = call.orders.exclude(customer_name="").order_by("-created_at").values_list("customer_name", flat=True).first()
    if name:
        sentences.append(phrase(Phrase.CALLER_NAME, language, name=name))
    caller = read_caller(call.caller_number)
    if caller.kind is CallerKind.NUMBER:
        # Digit by digit: a voice would read a long number as millions.
        digits = " ".join(caller.number.removeprefix("+"))
        sentences.append(phrase(Phrase.CALLER_NUMBER, language, number=digits))
    return sentences


def _reason(call: Call) -> str:
    """What the model said that it is about, when it requested the transfer."""
    request = call.tool_calls.filter(name="transfer_call", outcome=ToolCall.Outcome.DONE).order_by("-at", "-id").first()
    arguments = request.arguments if request is not None and isinstance(request.arguments, dict) else {}
    return str(arguments.get("reason") or "")
