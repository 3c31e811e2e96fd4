"""What the order board and the day plan share: their feed, their buttons' requests, and what they say of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from agents.organizations.access import Access, load_access
from agents.organizations.models import Organization
from voiceapp.core.errors import ApplicationError
from voiceapp.core.feeds.streaming import Event, event_stream, requires_sign_in


class BoardViewer(Protocol):
    """What the people have in common who look at the same board."""

    @property
    def organization_id(self) -> UUID: ...
    @property
    def shared_as(self) -> str: ...


V = TypeVar("V", bound=BoardViewer)

# The organization of the board, and whether the user may press its buttons. Raises Http404.
Find = Callable[[HttpRequest, str], tuple[Organization, bool]]
Button = Callable[..., str]


def board_feed(
    find: Callable[[HttpRequest, str], tuple[V, Organization]],
    *,
    topic_of: Callable[[UUID], str],
    read: Callable[[V, frozenset[str]], list[Event]],
    now_for: Callable[[Access, V], V],
) -> Callable[..., HttpResponseBase]:
    """The board's events (docs/reference/feeds.md). `now_for`: the viewer with the rights that the user has now."""

    @requires_sign_in
    def feed(request: HttpRequest, organization_id: str) -> HttpResponseBase:
        viewer, organization = find(request, organization_id)
        return event_stream(
            request,
            [topic_of(organization.pk)],
            partial(read, viewer),
            shared_as=viewer.shared_as,
            may_go_on=partial(_still_sees, str(request.user.pk), viewer, now_for),
        )

    return feed


def _still_sees(user_id: str, viewer: V, now_for: Callable[[Access, V], V]) -> bool:
    """Whether the user's role is the one with which the stream began."""
    user = User.objects.filter(pk=user_id).first()
    return user is not None and now_for(load_access(user), viewer) == viewer


def board_buttons(find: Find) -> Callable[[Button], Callable[..., HttpResponseBase]]:
    """For a view of a button: it returns a sentence, and raises ApplicationError with the one that says why not."""

    def decorate(view: Button) -> Callable[..., HttpResponseBase]:
        @require_POST
        @requires_sign_in
        def responds(request: HttpRequest, /, organization_id: str, **names: Any) -> HttpResponseBase:
            organization, operates = find(request, organization_id)
            if not operates:
                return JsonResponse({"error": "no_access", "message": _no_access()}, status=403)
            try:
                return JsonResponse({"message": view(request, organization, **names)})
            except ApplicationError as exc:
                return JsonResponse({"error": "refused", "message": str(exc)}, status=409)

        return responds

    return decorate


def _no_access() -> str:
    return _("Your role may look at this page, but not change it. Ask an owner for another role.")


def board_texts(*, offline: str) -> dict[str, object]:
    """For the page's scripts, in its language. `offline` says what is missed meanwhile."""
    return {
        "states": {
            "connecting": _("Connecting …"),
            "online": _("Live"),
            "catching up": _("Catching up …"),
            "offline": _("Offline"),
            "signed out": _("Signed out"),
            "no access": _("No access"),
        },
        "banners": {
            "offline": offline,
            "catching up": _("Back online: catching up …"),
            "signed out": _("Your session has ended. Nothing is lost:"),
            "no access": _("You no longer have access to this page. Ask an owner for it."),
        },
        "signInAgain": _("sign in again in a new tab, this page goes on by itself."),
        "signedOut": _("Your session has ended. Sign in again, then press once more: nothing is lost."),
        "notSavedOffline": _("Not saved: there is no connection. Try again when the page is online."),
        "notSaved": _("Not saved: the server failed. Try again."),
    }


def chosen_board(request: HttpRequest, mine: Sequence[Organization], *, page: str, title: str) -> HttpResponseBase:
    """The page of the user's only organization, or a choice. `page`: the name of its address."""
    if not mine:
        raise PermissionDenied
    choices = [(row.name, reverse(page, args=(row.pk,))) for row in mine]
    if len(choices) == 1:
        return HttpResponseRedirect(choices[0][1])
    context = {**admin.site.each_context(request), "title": title, "choices": choices}
    return TemplateResponse(request, "admin/parts/choose_board.html", context)


def uuid_of(text: str) -> UUID:
    """Of an address; raises Http404."""
    try:
        return UUID(text)
    except ValueError as exc:
        raise Http404("There is no such page.") from exc


def number_of(text: str) -> int:
    """Of a row, as a page sends it back; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
