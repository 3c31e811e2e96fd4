"""One-time links that sign a person in without a password, for an operator with the server's command line.

A link names the user and the time of the user's latest sign-in, signed with SECRET_KEY. It works for ten minutes, and
once: signing in changes that time by a guarded update, so that of two simultaneous requests one wins.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from .second_factor import BY_LINK, remember_factor

SALT = "voiceapp.sign_in_link"
VALID_FOR = dt.timedelta(minutes=10)
BACKEND = "django.contrib.auth.backends.ModelBackend"
UNUSABLE = _(
    "This sign-in link was used already, or it is older than ten minutes. Print a new one on the server: "
    ".venv/bin/python manage.py sign_in_link NAME"
)


def make_sign_in_link(user: User) -> str:
    """An absolute address. Making another one does not end the first: the first use of either ends both."""
    token = signing.dumps([user.pk, _latest_sign_in(user)], salt=SALT)
    return f"{settings.PUBLIC_BASE_URL}{reverse('sign-in-link')}?{urlencode({'token': token})}"


def redeem_sign_in_link(token: str) -> User | None:
    """The user whom the link signs in, once; None for one that is used, expired or forged."""
    try:
        user_id, latest_sign_in = signing.loads(token, salt=SALT, max_age=VALID_FOR)
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or _latest_sign_in(user) != latest_sign_in:
        return None
    unused = User.objects.filter(pk=user.pk, last_login=user.last_login)
    return user if unused.update(last_login=timezone.now()) else None


@require_GET  # a link preview that sends HEAD does not use it up
@never_cache
def sign_in_by_link(request: HttpRequest) -> HttpResponse:
    """The token stands in the query, which no log keeps."""
    user = redeem_sign_in_link(request.GET.get("token", ""))
    if user is None:
        page = {"status": 403, "title": gettext("Link not valid"), "next_step": UNUSABLE}
        response = HttpResponse(render_to_string("error.html", {"page": page}), status=403)
    else:
        login(request, user, backend=BACKEND)
        # Where the environment is dev, the second factor is not asked for (second_factor.py).
        remember_factor(request, BY_LINK)
        response = HttpResponseRedirect(reverse("admin:index"))
    response["Referrer-Policy"] = "no-referrer"
    return response


def _latest_sign_in(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""
