"""To whom VAPI connects a caller: a configured target that is there now, by id alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from django.utils import timezone

from agents.transfers.models import TransferTarget
from agents.transfers.numbers import why_not_called
from sessions.calls.models import Call, ToolCall
from sessions.calls.services import record_event
from sessions.orders.draft import Refused
from sessions.orders.services.transfer_targets import Person, find_person, people_of
from telephony.twilio.transfers.caller_ids import caller_id_for
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.vapi.client import VapiClient
from voiceapp.providers.vapi.messages import VapiMessage, list_of, part_of, text_of

from .legs import CallUnknown, find_leg
from .models import VapiLeg

logger = structlog.get_logger("vapi")

NOBODY = "There is nobody here whom I can connect you to."
TARGET_NAMES = ("target", "destination", "department", "to")
TRANSFER_TOOLS = frozenset({"transferCall", "transfer_call"})


def answer_destination_request(message: VapiMessage) -> dict[str, object]:
    """VAPI's response: where to connect the caller, or a sentence why that is not possible."""
    try:
        known = find_leg(message)
    except CallUnknown as exc:
        logger.warning("transfer of an unknown call", vapi_id=message.call_id, reason=exc.reason)
        return {"error": NOBODY}
    call = known.call
    try:
        person = _wanted(call, requested_target(message))
        destination = destination_of(call, person)
    except Refused as refused:
        return {"error": refused.say}
    _note(known, person.slug, person.name)
    sentence = f"I will connect you to {person.name} now."
    return {"destination": destination, "message": {"type": "request-start", "content": sentence}}


def transfer_at_vapi(known: VapiLeg, slug: str, *, control_url: str, say: str) -> None:
    """Have VAPI connect a caller whose phone call it carries. Raises ProviderError."""
    try:
        person = find_person(known.call, slug, now=timezone.now())
        destination = destination_of(known.call, person)
    except Refused as refused:
        raise ProviderError("vapi", refused.say, permanent=True) from refused
    client = VapiClient.from_settings()
    client.control(control_url, {"type": "transfer", "destination": destination, "content": say})
    _note(known, person.slug, person.name)


def destination_of(call: Call, person: Person) -> dict[str, object]:
    """VAPI's destination for a person who is there. Raises Refused. The number comes from the database alone."""
    if not person.is_there:
        raise Refused(person.absence)
    target = TransferTarget.objects.filter(organization=call.organization, slug=person.slug).first()
    if target is None or why_not_called(target.number, target.organization, caller=call.caller_number):
        raise Refused(NOBODY)
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
    people = people_of(call.organization, now=now)
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


def _note(known: VapiLeg, slug: str, name: str) -> None:
    record_event(known.call_id, "transfer_at_vapi", {"target": slug})
    Call.objects.filter(pk=known.call_id).update(transferred_to=name)
