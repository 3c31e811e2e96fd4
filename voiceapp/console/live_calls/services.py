"""What operators do with live calls, from any process. Who did what is on the call's timeline."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from sessions.calls.commands import LONGEST_TEXT, Kind, leave_command
from sessions.calls.end_reasons import EndReason
from sessions.calls.listenings import MOST_LISTENERS
from sessions.calls.models import Call, CallKind
from sessions.calls.services import finish_call, record_event
from sessions.orders.services.transfer_targets import Person, people_of
from sessions.realtime.services.hang_ups import hang_up as hang_up_at_openai
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.hints import give_hint
from sessions.rooms.services.listeners import ListenerTicket, NobodyThere, TooManyListeners, let_in
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.twilio.client import TwilioClient

from ..call_page.ways import NOT_CONFIGURED
from .offers import NO_AGENT, NOBODY_THERE, NOT_WITH_AGENT, OVER, Deed, why_not_at_all

logger = structlog.get_logger("live_calls")

REASON = EndReason.HUNG_UP_BY_OPERATOR


class NotDone(ApplicationError):
    """The sentence says why, and what to do."""


def whisper(call: Call, text: str, *, by: str) -> str:
    """The agent knows it at once, and the caller does not hear it. Returns a sentence. Raises NotDone."""
    hint = " ".join(text.split())
    if not hint:
        raise NotDone(gettext("Write what the agent should know."))
    if len(hint) > LONGEST_TEXT:
        raise NotDone(
            gettext("A hint has at most %(longest_text)s characters; this one has %(number)s.")
            % {"longest_text": LONGEST_TEXT, "number": len(hint)}
        )
    if call.kind == CallKind.ROOM:
        _hint_in_room(call, hint, by=by)
    else:
        _leave(call, Deed.WHISPER, Kind.HINT, hint, event="operator_hint", detail={"by": by, "text": hint})
    return gettext("The agent has your hint.")


def _hint_in_room(call: Call, hint: str, *, by: str) -> None:
    if reason := why_not_at_all(Deed.WHISPER, call):
        raise NotDone(reason)
    if not give_hint(call, hint, by=by):
        call.refresh_from_db(fields=["state"])
        raise NotDone(NO_AGENT if call.is_live else OVER)


def listen_in_room(call: Call, *, by: str) -> ListenerTicket:
    """For the user's browser, which joins the room unseen. Raises NotDone."""
    if reason := why_not_at_all(Deed.LISTEN, call):
        raise NotDone(reason)
    try:
        return let_in(call, by=by)
    except NobodyThere as gone:
        call.refresh_from_db(fields=["state"])
        raise NotDone(NOBODY_THERE if call.is_live else OVER) from gone
    except TooManyListeners as full:
        raise NotDone(
            gettext("%(most)s people listen in on this call already. Ask one of them to stop.")
            % {"most": MOST_LISTENERS}
        ) from full
    except LiveKitError as fault:
        raise NotDone(NOT_CONFIGURED) from fault


def hand_over(call: Call, slug: str, *, by: str) -> str:
    """The agent says so, then the caller is transferred. Returns a sentence. Raises NotDone."""
    person = next((each for each in people_for(call) if each.slug == slug), None)
    if person is None:
        raise NotDone(gettext("Choose one of the transfer targets."))
    if not person.is_there:
        raise NotDone(
            gettext("%(person)s is not there now. %(absence)s") % {"person": person.name, "absence": person.absence}
        )
    detail = {"by": by, "target": person.name}
    _leave(call, Deed.HAND_OVER, Kind.HAND_OVER, slug, event="operator_hand_over", detail=detail)
    return gettext("The agent tells the caller, and %(person)s is called.") % {"person": person.name}


def people_for(call: Call) -> list[Person]:
    """To whom a call can be handed over, those who are away too."""
    if call.organization is None or call.kind != CallKind.PHONE:
        return []
    return people_of(call.organization, now=timezone.now())


def why_nobody(people: Sequence[Person]) -> str:
    """Why a call cannot be handed over to any of them; nothing if it can."""
    if not people:
        return gettext("There is no transfer target: add one under “Transfer targets”.")
    return "" if any(person.is_there for person in people) else gettext("None of the transfer targets is there now.")


def hang_up(call: Call, *, by: str) -> str:
    """By the process that carries the call; a call that none carries is ended here. Outside any transaction.

    Returns a sentence. Raises NotDone.
    """
    if reason := why_not_at_all(Deed.HANG_UP, call):
        raise NotDone(reason)
    with transaction.atomic():
        record_event(call.pk, "operator_hang_up", {"by": by})
        is_left = call.kind != CallKind.ROOM and leave_command(call.pk, Kind.HANG_UP)
    if not is_left:
        _end_here(call)
    return gettext("The call ends now.")


def _end_here(call: Call) -> None:
    """In a room, before it began, or while the caller talks to a person."""
    if call.kind == CallKind.ROOM:
        end_room_call(call, reason=REASON)
        return
    finish_call(call.pk, reason=REASON)
    if call.kind == CallKind.BROWSER:
        hang_up_at_openai(call)
    elif call.carrier_sid:
        try:
            TwilioClient.from_settings().hang_up(call.carrier_sid)
        except ProviderError as fault:
            logger.warning("not hung up at the carrier", call_id=str(call.pk), error=str(fault))
            raise NotDone(
                gettext("The call is over here, but the carrier did not confirm it (%(fault)s).") % {"fault": fault}
            ) from fault


def _leave(call: Call, deed: Deed, kind: Kind, text: str, *, event: str, detail: dict[str, str]) -> None:
    if reason := why_not_at_all(deed, call):
        raise NotDone(reason)
    with transaction.atomic():
        if not leave_command(call.pk, kind, text):
            call.refresh_from_db(fields=["state"])
            raise NotDone(NOT_WITH_AGENT if call.is_live else OVER)
        record_event(call.pk, event, detail)
