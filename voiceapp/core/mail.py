"""Sends an e-mail by the server of EMAIL_URL. A fault is a ProviderError, as that of every other provider."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError

# SMTP: from 500 on the same message would be refused again.
PERMANENT_SMTP = 500
# Name, content and type.
Attachment = tuple[str, bytes, str]


def send_mail(*, to: str, subject: str, body: str, name: str, attachments: Sequence[Attachment] = ()) -> None:
    """Raises NotConfigured and ProviderError. By `name`, a word, a mail that is sent twice is recognized."""
    if not settings.EMAIL_URL:
        raise NotConfigured("EMAIL_URL is not set on this server.")
    host = settings.PUBLIC_BASE_URL.partition("://")[2].split(":")[0]
    mail = EmailMessage(subject=subject, body=body, to=[to], headers={"Message-ID": f"<{name}@{host}>"})
    for each in attachments:
        mail.attach(*each)
    release_connections()
    try:
        mail.send()
    except smtplib.SMTPResponseException as exc:
        is_final = exc.smtp_code >= PERMANENT_SMTP
        raise ProviderError(
            "mail server", KeptText("returned %(status)d", status=exc.smtp_code), permanent=is_final
        ) from exc
    except smtplib.SMTPRecipientsRefused as exc:
        codes = sorted(code for code, _ in exc.recipients.values())
        is_final = bool(codes) and codes[0] >= PERMANENT_SMTP
        raise ProviderError(
            "mail server", KeptText("refused the address (%(codes)s)", codes=codes), permanent=is_final
        ) from exc
    except (smtplib.SMTPException, OSError) as exc:
        raise ProviderError("mail server", KeptText("no response (%(why)s)", why=type(exc).__name__)) from exc
