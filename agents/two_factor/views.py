"""The pages of the second factor: the code after the password, setting it up, recovery codes, turning it off."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.organizations.actor import Actor, Via, acting_as
from agents.organizations.second_factor import Need, half_signed_in_user, need_of, remember_factor
from agents.tenant_admin.theme import TextInput
from voiceapp.core.errors import ApplicationError

from .models import TwoFactor
from .services import (
    TooManyCodes,
    begin_set_up,
    check_code,
    confirm_set_up,
    factor_of,
    qr_code,
    renew_recovery_codes,
    setup_address,
    turn_off,
)

LONGEST_CODE = 40


class CodeForm(forms.Form):
    """A code of the app or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("code"),
        max_length=LONGEST_CODE,
        widget=TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text"}),
    )


@require_http_methods(["GET", "POST"])
@never_cache
def two_factor(request: HttpRequest) -> HttpResponse:
    """After the password: the code. For one who is signed in: whether it is on, new recovery codes, and off."""
    user = half_signed_in_user(request)
    if user is None:
        return HttpResponseRedirect(reverse("admin:login"))
    need, factor = need_of(user, request.session), factor_of(user)
    if need is Need.SET_UP:
        return HttpResponseRedirect(_with_next(reverse("two-factor-set-up"), request))
    if need is Need.NOTHING:
        return _own_page(request, user, factor)
    if factor is None:  # it was reset this very moment
        return HttpResponseRedirect(_next_page(request))
    form = CodeForm(request.POST or None)
    if form.is_valid() and _is_done(form, lambda code: check_code(factor, code)):
        remember_factor(request, factor.pk)
        return HttpResponseRedirect(_next_page(request))
    return _render(request, "code.html", user, form=form, left=factor.recovery_codes.count())


@require_http_methods(["GET", "POST"])
@never_cache
def set_up(request: HttpRequest) -> HttpResponse:
    """The secret as a QR code and as text; a first code confirms it, and brings the recovery codes."""
    user = half_signed_in_user(request)
    if user is None:
        return HttpResponseRedirect(reverse("admin:login"))
    need = need_of(user, request.session)
    if need is Need.CODE or factor_of(user) is not None:
        return HttpResponseRedirect(_with_next(reverse("two-factor"), request))
    factor = begin_set_up(user)
    form, codes = CodeForm(request.POST or None), list[str]()
    if form.is_valid() and _is_done(form, lambda code: codes.extend(_confirmed(request, factor, code))):
        remember_factor(request, factor.pk)
        return _render(request, "recovery_codes.html", user, codes=codes, next_page=_next_page(request))
    title = _("QR code to scan with an authenticator app")
    drawn = mark_safe(qr_code(setup_address(factor), title=title))  # noqa: S308 - drawn by segno, of our own text
    return _render(request, "set_up.html", user, form=form, drawn=drawn, secret=_grouped(factor.secret),
                   is_required=need is Need.SET_UP)  # fmt: skip


@require_http_methods(["GET", "POST"])
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Out of a session that has only the password."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("two-factor"))
    logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


def _own_page(request: HttpRequest, user: User, factor: TwoFactor | None) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if factor is None or not form.is_valid():
        return _render(request, "own.html", user, form=form, factor=factor,
                       left=factor.recovery_codes.count() if factor else 0)  # fmt: skip
    codes = list[str]()
    if request.POST.get("action") == "off":
        if _is_done(form, lambda code: turn_off(factor, code)):
            messages.success(request, _("Two-factor sign-in is off."))
            return HttpResponseRedirect(reverse("two-factor"))
    elif _is_done(form, lambda code: codes.extend(renew_recovery_codes(factor, code))):
        return _render(request, "recovery_codes.html", user, codes=codes, next_page=reverse("two-factor"))
    return _render(request, "own.html", user, form=form, factor=factor, left=factor.recovery_codes.count())


def _confirmed(request: HttpRequest, factor: TwoFactor, code: str) -> list[str]:
    """By its user, also while the session has only the password."""
    with acting_as(Actor(factor.user.get_username(), Via.PAGE, request.path, factor.user_id)):
        return confirm_set_up(factor, code)


def _is_done(form: CodeForm, do: Any) -> bool:
    """Whether the code was taken; otherwise the form says why not."""
    try:
        do(form.cleaned_data["code"])
    except ApplicationError as exc:
        form.add_error("code", str(exc))
        form.is_throttled = isinstance(exc, TooManyCodes)  # type: ignore[attr-defined]
        return False
    return True


def _render(request: HttpRequest, name: str, user: User, **values: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Two-factor sign-in"),
        "person": user,
        "next": request.GET.get("next", ""),
        **values,
    }
    status = 429 if getattr(values.get("form"), "is_throttled", False) else 200
    return TemplateResponse(request, f"admin/two_factor/{name}", context, status=status)


def _next_page(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours and wanted != reverse("admin:index") else reverse("first-page")


def _with_next(address: str, request: HttpRequest) -> str:
    return f"{address}?{urlencode({'next': request.GET.get('next', '')})}"


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
