"""“Live calls” under `/admin/live/`: the calls in progress, the page of one, and what an operator does there."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from agents.organizations.access import Access, access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from sessions.calls.admin.call import shown_number
from sessions.calls.models import Call, CallKind
from sessions.rooms.services.listeners import stop_listening
from voiceapp.core.feeds.streaming import event_stream, requires_sign_in
from voiceapp.core.http.security_headers import admin_policy_connecting_to

from ..call_page.ways import LIBRARY, addresses_of
from . import services
from .feeds import making_html, read_call, read_list, state_of, timeline_html
from .offers import Deed, why_not
from .queries import MOST_CALLS, live_calls
from .services import NotDone, hand_over, hang_up, whisper

# Whose calls a superuser sees at once.
MOST_ORGANIZATIONS = 50
LONGEST_IDENTITY = 120


def call_list(request: HttpRequest) -> HttpResponse:
    organizations, numbers_of = _organizations(request)
    rows = live_calls(organizations, numbers_of=numbers_of, now=timezone.now())
    context = {
        **admin.site.each_context(request),
        "title": gettext("Live calls"),
        "rows": rows,
        "has_organizations": len(organizations) > 1,
        "most": MOST_CALLS if len(rows) >= MOST_CALLS else 0,
    }
    return TemplateResponse(request, "admin/live_calls/list.html", context)


@requires_sign_in
def list_feed(request: HttpRequest) -> HttpResponseBase:
    organizations, numbers_of = _organizations(request)
    name = f"live-calls:{organizations}:{numbers_of}"
    topics = [f"calls:{organization_id}" for organization_id in organizations]
    return event_stream(request, topics, partial(read_list, organizations, numbers_of), shared_as=name)


def call_page(request: HttpRequest, call_id: UUID) -> HttpResponse:
    access = access_of(request)
    call = _call(access, call_id)
    sees = access.sees_numbers_of(call.organization_id)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Live call"),
        "call": call,
        "caller": shown_number(call, sees=sees),
        "state": state_of(call, access),
        "making": making_html(call),
        "timeline": timeline_html(call),
    }
    response = TemplateResponse(request, "admin/live_calls/call.html", context)
    if call.kind == CallKind.ROOM and settings.LIVEKIT_HOST and finders.find(LIBRARY) is not None:
        context["room_sound"] = {"library": static(LIBRARY)}
        response["Content-Security-Policy"] = admin_policy_connecting_to(*addresses_of(settings.LIVEKIT_HOST))
    return response


@requires_sign_in
def call_feed(request: HttpRequest, call_id: UUID) -> HttpResponseBase:
    _call(access_of(request), call_id)
    return event_stream(request, [f"call:{call_id}"], partial(read_call, int(request.user.pk or 0), call_id))


@require_POST
def act(request: HttpRequest, call_id: UUID, name: str) -> HttpResponse:
    """Answers a script with JSON, and a form without one with the page and a message."""
    access = access_of(request)
    call = _call(access, call_id)
    deed = next((deed for deed in Deed if deed.value == name and deed is not Deed.LISTEN), None)
    if deed is None:
        raise Http404("There is no such action.")
    try:
        if reason := why_not(deed, call, access):
            raise NotDone(reason)
        sentence, is_done = _do(deed, call, request), True
    except NotDone as refused:
        sentence, is_done = str(refused), False
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"message": sentence}, status=200 if is_done else 409)
    (messages.success if is_done else messages.error)(request, sentence)
    return HttpResponseRedirect(reverse("live-call", args=(call_id,)))


@require_POST
def listen_in_room(request: HttpRequest, call_id: UUID) -> JsonResponse:
    """A token with which the page hears the call in LiveKit, or the sentence why not."""
    access = access_of(request)
    call = _call_in_room(access, call_id)
    try:
        if reason := why_not(Deed.LISTEN, call, access):
            raise NotDone(reason)
        ticket = services.listen_in_room(call, by=request.user.get_username())
    except NotDone as refused:
        return JsonResponse({"message": str(refused)}, status=409)
    return JsonResponse({"identity": ticket.identity, "token": ticket.token, "livekitHost": ticket.server_url})


@require_POST
def leave_room(request: HttpRequest, call_id: UUID) -> JsonResponse:
    """The page does not listen any more. Only the user's own listening ends."""
    call = _call_in_room(access_of(request), call_id)
    identity = request.POST.get("identity", "")[:LONGEST_IDENTITY]
    if identity.isprintable():
        stop_listening(call, identity, by=request.user.get_username())
    return JsonResponse({})


def _do(deed: Deed, call: Call, request: HttpRequest) -> str:
    by = request.user.get_username()
    match deed:
        case Deed.WHISPER:
            return whisper(call, request.POST.get("text", ""), by=by)
        case Deed.HAND_OVER:
            return hand_over(call, request.POST.get("to", ""), by=by)
        case _:
            return hang_up(call, by=by)


def _organizations(request: HttpRequest) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Whose calls the user sees, and whose callers' numbers in full. Raises PermissionDenied."""
    access = access_of(request)
    if not access.may(Area.CALLS, Power.VIEW):
        raise PermissionDenied
    visible = Organization.objects.visible_to(access.principal(Area.CALLS)).order_by("pk")
    ids = tuple(visible.values_list("pk", flat=True)[:MOST_ORGANIZATIONS])
    return ids, tuple(filter(access.sees_numbers_of, ids))


def _call_in_room(access: Access, call_id: UUID) -> Call:
    call = _call(access, call_id)
    if call.kind != CallKind.ROOM:
        raise Http404("This call is in no room.")
    return call


def _call(access: Access, call_id: UUID) -> Call:
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).select_related("organization", "agent")
    call = calls.filter(pk=call_id).first()
    if call is None:
        raise Http404("There is no such call.")
    return call
