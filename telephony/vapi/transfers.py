"""To whom VAPI connects a caller: a configured target that is there now, by id alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from django.utils import timezone

from sessions.calls.models import Call, CallEvent, ToolCall
from sessions.calls.persons_called import CALLED_BY_VAPI, TOO_MANY_TODAY, are_too_many
from sessions.calls.services import record_event
from sessions.orders.draft import Refused
from sessions.orders.services.transfer_targets import Person, can_transfer, find_person, people_of, target_to_call
from telephony.twilio.transfers.caller_ids import caller_id_for
from voiceapp.providers.vapi.client import VapiClient
from voiceapp.providers.vapi.messages import VapiMessage, list_of, part_of, text_of

from .legs import CallUnknown, find_leg

logger = structlog.get_logger("vapi")

NOBODY = "There is nobody here whom I can connect you to."
NOBODY_TODAY = "I cannot connect you to a person any more today."
# VAPI sends a message again that got no response within its 20 s, twice at most (assistants.py).
SENT_AGAIN_WITHIN = dt.timedelta(seconds=90)
TARGET_NAMES = ("target", "destination", "department", "to")
TRANSFER_TOOLS = frozenset({"transferCall", "transfer_call"})


def answer_destination_request(message: VapiMessage) -> dict[str, object]:
    """VAPI's response: where to connect the caller, or a sentence why that is not possible."""
    try:
        call = find_leg(message).call
    except CallUnknown as exc:
        logger.warning("transfer of an unknown call", vapi_id=message.call_id, reason=exc.reason)
        return {"error": NOBODY}
    try:
        person = _wanted(call, requested_target(message))
        destination = destination_of(call, person)
    except Refused as refused:
        return {"error": refused.say}
    _note(call, person)
    sentence = f"I will connect you to {person.name} now."
    return {"destination": destination, "message": {"type": "request-start", "content": sentence}}


def transfer_at_vapi(call: Call, slug: str, *, control_url: str, say: str) -> None:
    """Have VAPI connect a caller whose phone call it carries. Raises Refused and ProviderError."""
    person = find_person(call, slug, now=timezone.now())
    destination = destination_of(call, person)
    if not _is_placed(call, person):
        command = {"type": "transfer", "destination": destination, "content": say}
        VapiClient.from_settings().control(control_url, command)
        _note(call, person)


def destination_of(call: Call, person: Person) -> dict[str, object]:
    """VAPI's destination for a person who is there. Raises Refused. The number comes from the database alone."""
    assert call.organization is not None
    if not person.is_there:
        raise Refused(person.absence)
    target = target_to_call(call, person.slug, now=timezone.now())
    if target is None:
        raise Refused(NOBODY)
    if are_too_many(call.organization) and not _is_placed(call, person):
        record_event(call.pk, "transfer_number_refused", {"target": person.name, "why": TOO_MANY_TODAY})
        raise Refused(NOBODY_TODAY)
    destination: dict[str, object] = {"type": "number", "number": target.number}
    if caller_id := caller_id_for(call):
        destination["callerId"] = caller_id
    return destination


def requested_target(message: VapiMessage) -> str:
    """The id that the model gave, wherever VAPI repeats it; empty where it gave none."""
    for tool in message.tools:
        if found := _target_in(tool.arguments):
            return found
    for each in reversed(message.conversation or ()):
        for tool in reversed(_tools_in(each)):
            function = part_of(tool, "function") or tool
            if text_of(function, "name") in TRANSFER_TOOLS:
                return _target_in(function.get("arguments"))
    return ""


def _wanted(call: Call, slug: str) -> Person:
    """By the id; without one, the last that a tool of this call decided on, else the fallback. Raises Refused."""
    now = timezone.now()
    if not slug:
        last = ToolCall.objects.filter(call=call, outcome=ToolCall.Outcome.DONE).order_by("-at", "-id").first()
        slug = str(last.output.get("transfer_to", "")) if last else ""
    if slug:
        return find_person(call, slug, now=now)
    assert call.organization is not None
    people = people_of(call.organization, now=now) if can_transfer(call) else []
    there = [person for person in people if person.is_there]
    if not there:
        raise Refused(people[0].absence if people else NOBODY)
    return next((person for person in there if person.is_fallback), there[0])


def _target_in(arguments: object) -> str:
    """Of a tool's arguments, as an object or as its JSON."""
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return ""
    given = arguments if isinstance(arguments, Mapping) else {}
    return next((found for name in TARGET_NAMES if (found := text_of(given, name, longest=40))), "")


def _tools_in(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = list_of(message, "toolCalls") or list_of(message, "tool_calls")
    return [each for each in found if isinstance(each, Mapping)]


def _is_placed(call: Call, person: Person) -> bool:
    """Whether VAPI calls this person already: the message is one that it has sent again."""
    since = timezone.now() - SENT_AGAIN_WITHIN
    placed = CallEvent.objects.filter(call=call, kind=CALLED_BY_VAPI, at__gt=since)
    return placed.filter(detail__target=person.slug).exists()


def _note(call: Call, person: Person) -> None:
    if not _is_placed(call, person):
        record_event(call.pk, CALLED_BY_VAPI, {"target": person.slug})
        Call.objects.filter(pk=call.pk).update(transferred_to=person.name)
