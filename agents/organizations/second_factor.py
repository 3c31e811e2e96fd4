"""Whether a session has shown its second factor. One that has not is nobody: on pages, over the API and on sockets.

The factor itself is in agents/two_factor. A session remembers which factor it has shown, so that a new one is asked for
again everywhere.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

SESSION_KEY = "second_factor"
# Of a session that began with a sign-in link on a developer's machine.
BY_LINK = "link"


class Need(enum.Enum):
    """What a user has to do before the session is theirs."""

    NOTHING = enum.auto()
    CODE = enum.auto()
    SET_UP = enum.auto()


def need_of(user: User, session: Any) -> Need:
    """One query. An organization may require a second factor of its people's roles."""
    rows = list(
        User.objects.filter(pk=user.pk).values_list(
            "two_factor__pk",
            "two_factor__confirmed_at",
            "memberships__role",
            "memberships__organization__two_factor_roles",
        )
    )
    shown = session.get(SESSION_KEY)
    if not rows or (shown == BY_LINK and settings.ENVIRONMENT == "dev"):
        return Need.NOTHING
    factor, confirmed_at, *_ = rows[0]
    if confirmed_at is not None:
        return Need.NOTHING if shown == factor else Need.CODE
    is_required = any(role in (required or ()) for *_, role, required in rows)
    return Need.SET_UP if is_required else Need.NOTHING


def remember_factor(request: HttpRequest, shown: int | str) -> None:
    request.session[SESSION_KEY] = shown
    # Another key: whoever knew the one before the code was entered has nothing of it.
    request.session.cycle_key()


def signed_in_user(request: HttpRequest) -> User | AnonymousUser:
    """The user of the session, if it has shown what it has to. Reads the database."""
    user = get_user(request)
    if not isinstance(user, User) or need_of(user, request.session) is Need.NOTHING:
        return user
    return AnonymousUser()


def half_signed_in_user(request: HttpRequest) -> User | None:
    """Who has signed in, perhaps without the second factor: for the pages that ask for it."""
    user = get_user(request)
    return user if isinstance(user, User) else None


class SecondFactorMiddleware:
    """After Django's: a session without its second factor has no user, and the login page leads on to the code."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: signed_in_user(request))  # type: ignore[assignment]
        is_login = request.method == "GET" and request.path == settings.LOGIN_URL
        if is_login and not request.user.is_authenticated and half_signed_in_user(request) is not None:
            next_page = urlencode({"next": request.GET.get("next", "")})
            return HttpResponseRedirect(f"{reverse('two-factor')}?{next_page}")
        return self.get_response(request)
