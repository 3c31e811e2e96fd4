"""Sends the e-mail of an invitation, with its link."""

from __future__ import annotations

import datetime as dt

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.mail import send_mail
from voiceapp.core.plain_text import one_line

from .links import make_link
from .models import Invitation

TOPIC = "invitation"


class InvitationQueue(JobQueue[Invitation]):
    name = "invitations"
    model = Invitation
    order = Order.UNTIL_ATTEMPTED
    max_attempts = 8
    lease = dt.timedelta(seconds=45)
    first_wait_s = 5
    longest_wait_s = 1800
    gives_up_on_permanent_errors = True


def mail_invitation(invitation: Invitation) -> None:
    """With the row as it is now: one that was accepted or withdrawn meanwhile is not sent. Raises NotConfigured and
    ProviderError."""
    now = Invitation.objects.open().select_related("organization", "invited_by").filter(pk=invitation.pk).first()
    if now is None:
        return
    send_mail(
        to=now.email,
        subject=one_line(_("Invitation to %(organization)s") % {"organization": now.organization.name}),
        body=text_of(now),
        name=f"invitation-{now.pk}-{now.expires_at:%Y%m%d%H%M%S}",
    )


def text_of(invitation: Invitation) -> str:
    inviter = invitation.invited_by
    values = {
        "who": (inviter.get_full_name() or inviter.get_username()) if inviter else invitation.organization.name,
        "organization": invitation.organization.name,
        "role": invitation.get_role_display(),
        "link": make_link(invitation),
        "until": date_format(invitation.expires_at.astimezone(invitation.organization.zone), "j F Y, H:i"),
    }
    return (
        _(
            "%(who)s invites you to work for %(organization)s. Your role: %(role)s.\n\n"
            "Open this link to accept:\n%(link)s\n\n"
            "It works once, until %(until)s. If you do not know who this is, ignore this e-mail.\n"
        )
        % values
    )


invitation_mails = InvitationQueue(WakeUp("agents.tasks.send_invitations"))
invitation_mails.register(TOPIC, mail_invitation)
