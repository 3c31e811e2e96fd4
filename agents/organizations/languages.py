"""The language of a page: its reader's choice, else the organization's, else the browser's, else English.

The API, logs and commands are in English: only pages for people, and what their scripts request, are translated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from voiceapp.core.translations.names import CONSOLE_LANGUAGES

from .models import Organization, UserSettings

PAGES = ("/admin/", "/call/")
CODES: Mapping[str, str] = dict(CONSOLE_LANGUAGES)


class LanguageMiddleware:
    """Activates the language for the page and whatever renders it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PAGES):
            return self.get_response(request)
        with translation.override(language_of(request)):
            response = self.get_response(request)
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response = response.render()
            return response


def language_of(request: HttpRequest) -> str:
    """Not of the call page, which its organization's visitors read: its view activates another one."""
    return language_of_user(request.user) or translation.get_language_from_request(request)


def language_of_user(user: User | AnonymousUser) -> str:
    """The user's choice, else the one that all organizations of theirs have made; empty if there is none."""
    if not isinstance(user, User):
        return ""
    own = UserSettings.objects.filter(user=user).exclude(language="").values_list(Value(0), "language")
    theirs = Organization.objects.filter(memberships__user=user).order_by().values_list(Value(1), "language")
    chosen = sorted(own.union(theirs))
    best = [language for rank, language in chosen if rank == chosen[0][0]]
    return best[0] if len(best) == 1 else ""


def known_language(code: str) -> str:
    """The code, if pages have that language; else empty."""
    return code if code in CODES else ""


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the posted language for the user, and for this browser's sign-in page. An unknown one: none, as at first."""
    language = known_language(request.POST.get("language", ""))
    if isinstance(request.user, User):
        UserSettings.objects.update_or_create(user=request.user, defaults={"language": language})
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(target if is_ours else settings.LOGIN_REDIRECT_URL)
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response


def offered_languages(request: HttpRequest) -> list[Mapping[str, str]]:
    """For the user's menu, which Unfold renders."""
    by_itself = {"code": "", "name_local": gettext("Language of the organization or browser")}
    return [*({"code": code, "name_local": name} for code, name in CONSOLE_LANGUAGES), by_itself]
