"""The link of an invitation: the row and its nonce, signed with SECRET_KEY, so that neither alone opens it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from voiceapp.core.errors import ApplicationError

from .models import Invitation

SALT = "voiceapp.invitation"


class LinkRefused(ApplicationError):
    """With what the invited person can do about it."""


TAMPERED: StrOrPromise = _(
    "This address is not complete, or it was changed. Copy the whole link from the e-mail, or ask the person who "
    "invited you to send it again."
)
USED: StrOrPromise = _("This invitation was accepted already. Sign in with the account that accepted it.")
REVOKED: StrOrPromise = _("This invitation was withdrawn. Ask the person who invited you for a new one.")
REPLACED: StrOrPromise = _(
    "A newer e-mail has replaced this link. Open the link in the newest e-mail, or ask for the invitation to be sent "
    "again."
)
EXPIRED: StrOrPromise = _("This invitation is older than seven days. Ask the person who invited you to send it again.")


def make_link(invitation: Invitation) -> str:
    """An absolute address."""
    token = signing.dumps([invitation.pk, invitation.nonce], salt=SALT)
    return f"{settings.PUBLIC_BASE_URL}{reverse('invitation')}?{urlencode({'token': token})}"


def read_link(token: str) -> Invitation:
    """The open invitation of a link. Raises LinkRefused."""
    try:
        pk, nonce = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise LinkRefused(str(TAMPERED)) from exc
    invitation = Invitation.objects.select_related("organization", "invited_by").filter(pk=pk).first()
    if invitation is None or invitation.revoked_at is not None:
        raise LinkRefused(str(REVOKED))
    if invitation.accepted_at is not None:
        raise LinkRefused(str(USED))
    if invitation.nonce != nonce:
        raise LinkRefused(str(REPLACED))
    if invitation.is_expired:
        raise LinkRefused(str(EXPIRED))
    return invitation
