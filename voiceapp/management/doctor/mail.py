"""A check of the server that sends e-mails."""

from __future__ import annotations

import smtplib

from django.conf import settings
from django.core.mail import get_connection

from agents.invitations.models import Invitation
from agents.organizations.models import Organization

from .finding import Finding, failed, passed, skipped

TIMEOUT_S = 1.6
INVITE_AGAIN = "Set EMAIL_URL, restart, and press “Send again” on each page under Invitations."


def check_mail() -> Finding:
    """Signs in to the mail server, without sending anything."""
    if not settings.EMAIL_URL:
        waiting = list(Organization.objects.exclude(voicemail_email="").values_list("name", flat=True)[:5])
        unsent = Invitation.objects.open().filter(state=Invitation.State.UNCONFIGURED).count()
        if unsent:
            return failed("mail", f"EMAIL_URL is not set: invitations were not sent ({unsent})", INVITE_AGAIN)
        if not waiting:
            return skipped("mail", "EMAIL_URL is not set: no e-mails are sent")
        return failed("mail", f"EMAIL_URL is not set: voicemail of {', '.join(waiting)} is not sent", "Set EMAIL_URL.")
    where = settings.EMAIL_HOST
    if not where:
        return passed("mail", f"e-mails are written to {getattr(settings, 'EMAIL_FILE_PATH', '') or 'the console'}")
    try:
        connection = get_connection(timeout=TIMEOUT_S)
        connection.open()
        connection.close()
    except (smtplib.SMTPException, OSError) as exc:
        fix = "Check EMAIL_URL (host, port, user, password; smtp+tls:// or smtp+ssl://) and the network."
        return failed("mail", f"{where} does not accept our sign-in ({type(exc).__name__})", fix)
    return passed("mail", f"{where} takes e-mails from {settings.DEFAULT_FROM_EMAIL}")
