"""A voicemail is sent to its organization: as a webhook, and as an e-mail with the audio."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from agents.hours.local_time import when
from recordings.files import read_file
from recordings.storage import recording_link_if_possible
from sessions.messages.models import OutboxMessage
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.core.mail import Attachment, send_mail
from voiceapp.core.phones.numbers import read_caller
from voiceapp.core.plain_text import one_line

from .models import Voicemail


def data_of_webhook(message: OutboxMessage) -> dict[str, object] | None:
    """As it is when it is sent: with a transcript that came meanwhile, and a link that is still valid. None if it was
    deleted."""
    voicemail = _voicemails().filter(pk=message.body["data"]["id"]).first()
    return None if voicemail is None else voicemail_json(voicemail)


def voicemail_json(voicemail: Voicemail) -> dict[str, object]:
    """docs/reference/webhooks.md"""
    call = voicemail.call
    return {
        "id": str(voicemail.pk),
        "orgId": str(call.organization_id),
        "callId": str(call.pk),
        "receivedAt": iso_z(voicemail.created_at),
        "why": voicemail.why,
        "state": voicemail.state,
        "explanation": voicemail.explanation,
        "callerNumber": read_caller(call.caller_number).number,
        "dialedNumber": call.dialed_number,
        "durationSeconds": voicemail.duration_s,
        "transcript": voicemail.transcript,
        "audioUrl": audio_url_of(voicemail),
        "pageUrl": page_url(voicemail),
    }


def audio_url_of(voicemail: Voicemail) -> str | None:
    """A link to the file in the bucket; a file on this server's disk is heard in the admin alone."""
    recording = voicemail.recording
    return recording_link_if_possible(recording) if recording is not None and recording.bucket else None


def mail_voicemail(message: OutboxMessage) -> None:
    """Mail it to the organization's address. Raises NotConfigured and ProviderError."""
    voicemail = _find(message)
    organization = message.organization
    if voicemail is None:
        return
    if organization is None or not organization.voicemail_email:
        raise NotConfigured(gettext("No voicemail e-mail address is set on the organization's page."))
    audio: tuple[Attachment, ...] = ()
    if voicemail.recording is not None:
        name = f"voicemail-{voicemail.created_at:%Y-%m-%d-%H%M}.wav"
        audio = ((name, read_file(voicemail.recording), "audio/wav"),)
    send_mail(
        to=organization.voicemail_email,
        subject=one_line(
            gettext("Voicemail from %(caller)s for %(organization)s")
            % {"caller": _caller(voicemail), "organization": organization.name}
        ),
        body=mail_text(voicemail),
        name=f"voicemail-{voicemail.pk}",
        attachments=audio,
    )


def mail_text(voicemail: Voicemail) -> str:
    organization = voicemail.call.organization
    received = when(voicemail.created_at, organization.zone if organization else None, is_zone_named=True)
    minutes, seconds = divmod(voicemail.duration_s or 0, 60)
    said = voicemail.transcript or f"No transcript: {voicemail.no_transcript or 'it is not ready yet.'}"
    if voicemail.state == Voicemail.State.LOST:
        said = gettext("The message is lost. %(explanation)s") % {"explanation": voicemail.explanation}
    return "\n".join((
        f"{_caller(voicemail)} left a message: {received}.",
        f"Why: {voicemail.get_why_display()}. Duration: {minutes}:{seconds:02}.",
        "",
        said,
        "",
        f"In the admin: {page_url(voicemail)}",
    ))  # fmt: skip


def page_url(voicemail: Voicemail) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse('admin:telephony_voicemail_change', args=(voicemail.pk,))}"


def _caller(voicemail: Voicemail) -> str:
    caller = read_caller(voicemail.call.caller_number)
    return caller.label if caller.number else gettext("A caller without a number")


def _find(message: OutboxMessage) -> Voicemail | None:
    return _voicemails().filter(pk=message.body["voicemail"]).first()


def _voicemails() -> QuerySet[Voicemail]:
    return Voicemail.objects.select_related("call__organization", "recording__call")
