"""What an operator can do with a live call, and why not where something cannot be done: by its kind, state and role."""

from __future__ import annotations

import enum

from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.organizations.access import Access
from agents.organizations.roles import Area, Power
from sessions.calls.models import Call, CallKind, CallState
from sessions.rooms.services.hints import has_agent
from sessions.rooms.services.listeners import is_anybody_there
from sessions.tools.briefing import is_over_webrtc

from ..call_page.ways import LIBRARY, NO_LIBRARY, NOT_CONFIGURED

OVER = _("The call is over.")


class Deed(enum.StrEnum):
    """Something that an operator does with a live call."""

    HANG_UP = "hang-up"
    HAND_OVER = "hand-over"
    WHISPER = "whisper"
    LISTEN = "listen"


NEEDS = {
    Deed.HANG_UP: Area.CALLS,
    Deed.HAND_OVER: Area.CALLS,
    Deed.WHISPER: Area.CALLS,
    Deed.LISTEN: Area.LISTENING,
}
NOT_YOUR_ROLE = {
    Deed.HANG_UP: _("Your role may not end calls."),
    Deed.HAND_OVER: _("Your role may not hand calls over."),
    Deed.WHISPER: _("Your role may not speak to the agent."),
    Deed.LISTEN: _("Your role may not listen in. Owners and managers may."),
}
INVITE = _("This call is in a LiveKit room: invite a person to the room instead.")
NO_PHONE = _("A call from a browser cannot be transferred to a phone. Hint to the agent which number to ring instead.")
NO_SOUND = _("The browser and OpenAI talk to each other directly: the sound of this call does not pass this server.")
NOT_WITH_AGENT = _("The agent is not talking with this caller now.")
NOBODY_THERE = _("Nobody is in this call's room now.")
NO_ORGANIZATION = _("This call belongs to no organization: nobody may listen in.")
NO_AGENT = _("No agent is in this call's room now.")
AT_VAPI = _("VAPI carries this call: end it in VAPI's dashboard.")


def why_not(deed: Deed, call: Call, access: Access) -> str:
    """A sentence, or nothing where it can be done."""
    if not access.may(NEEDS[deed], Power.OPERATE, call.organization_id):
        return str(NOT_YOUR_ROLE[deed])
    return why_not_at_all(deed, call)


def why_not_at_all(deed: Deed, call: Call) -> str:
    """The same, whoever wants it."""
    if not call.is_live:
        return str(OVER)
    if deed is Deed.HANG_UP:
        return str(AT_VAPI) if _is_at_vapi(call) else ""
    if call.kind == CallKind.ROOM:
        return _why_not_in_a_room(deed, call)
    if deed is Deed.HAND_OVER and call.kind != CallKind.PHONE:
        return str(NO_PHONE)
    if deed is Deed.LISTEN and is_over_webrtc(call):
        return str(NO_SOUND)
    return "" if is_with_agent(call) else str(NOT_WITH_AGENT)


def _why_not_in_a_room(deed: Deed, call: Call) -> str:
    if deed is Deed.WHISPER:
        return "" if has_agent(call) else str(NO_AGENT)
    if deed is Deed.LISTEN:
        return str(_why_not_listen_in_a_room(call))
    return str(INVITE)


def _why_not_listen_in_a_room(call: Call) -> StrOrPromise:
    if call.organization_id is None:
        return NO_ORGANIZATION
    if not settings.LIVEKIT_HOST:
        return NOT_CONFIGURED
    if finders.find(LIBRARY) is None:
        return NO_LIBRARY
    return "" if is_anybody_there(call) else NOBODY_THERE


def is_with_agent(call: Call) -> bool:
    """A process of ours carries it, and its agent."""
    return call.state == CallState.CONNECTED and bool(call.process)


def _is_at_vapi(call: Call) -> bool:
    return call.kind == CallKind.PHONE and call.vapi_legs.filter(carries_phone=True).exists()
