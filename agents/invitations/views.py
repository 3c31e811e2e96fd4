"""The page behind the link of an invitation: join with an account, or make one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import login, password_validation
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.organizations.sign_in_links import BACKEND
from agents.tenant_admin.theme import PasswordInput, TextInput
from voiceapp.core.plain_text import validate_line

from .links import LinkRefused, read_link
from .models import Invitation
from .services import NotYours, accept, accept_as_new_user, user_name_of

GONE = 410


class NewAccountForm(forms.Form):
    """Name and password of a person without an account."""

    first_name = forms.CharField(
        label=gettext_lazy("first name"), max_length=150, widget=TextInput(), validators=[validate_line]
    )
    last_name = forms.CharField(
        label=gettext_lazy("last name"), max_length=150, required=False, widget=TextInput(), validators=[validate_line]
    )
    password = forms.CharField(
        label=gettext_lazy("password"), strip=False, max_length=4096,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html(),
    )  # fmt: skip
    password_again = forms.CharField(
        label=gettext_lazy("password, once more"), strip=False, max_length=4096,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, invitation: Invitation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        password = cleaned.get("password")
        if password and cleaned.get("password_again") not in (None, password):
            self.add_error("password_again", _("This is not the same password. Enter it once more."))
        elif password:
            email = self.invitation.email
            user = User(
                username=user_name_of(email), email=email, first_name=cleaned.get("first_name", ""),
                last_name=cleaned.get("last_name", ""),
            )  # fmt: skip
            try:
                password_validation.validate_password(password, user)
            except forms.ValidationError as exc:
                self.add_error("password", exc)
        return cleaned


@require_http_methods(["GET", "POST"])
@never_cache
def invitation_page(request: HttpRequest) -> HttpResponse:
    """The token stands in the query, which no log keeps."""
    try:
        response = _page(request, read_link(request.GET.get("token", "")))
    except LinkRefused as refused:
        page = {"status": GONE, "title": _("Invitation not valid"), "next_step": str(refused)}
        response = HttpResponse(render_to_string("error.html", {"page": page}), status=GONE)
    # No other site learns the token; "no-referrer" would take the origin from the form, too, and Django refuse it.
    response["Referrer-Policy"] = "same-origin"
    return response


def _page(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    is_sent = request.method == "POST"
    if isinstance(request.user, User):
        return _join(request, invitation, request.user) if is_sent else _render(request, invitation)
    form = NewAccountForm(invitation, request.POST if is_sent else None)
    if not is_sent or not form.is_valid():
        return _render(request, invitation, form)
    names = {name: form.cleaned_data[name] for name in ("first_name", "last_name", "password")}
    try:
        user = accept_as_new_user(invitation, **names)
    except NotYours as refused:
        form.add_error(None, str(refused))
        return _render(request, invitation, form)
    login(request, user, backend=BACKEND)
    return _welcome(request, invitation)


def _join(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    try:
        accept(invitation, user=user)
    except NotYours as refused:
        return _render(request, invitation, problem=str(refused))
    return _welcome(request, invitation)


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    messages.success(request, _("Welcome to %(organization)s.") % {"organization": invitation.organization.name})
    return HttpResponseRedirect(reverse("first-page"))


def _render(
    request: HttpRequest, invitation: Invitation, form: NewAccountForm | None = None, problem: str = ""
) -> HttpResponse:
    here = f"{reverse('invitation')}?{urlencode({'token': request.GET['token']})}"
    context = {
        **admin.site.each_context(request),
        "title": _("Invitation"),
        "invitation": invitation,
        "form": form,
        "problem": problem,
        "user_name": user_name_of(invitation.email),
        "sign_in": f"{reverse('admin:login')}?{urlencode({'next': here})}",
        "here": here,
    }
    return TemplateResponse(request, "admin/people/invitation.html", context)
