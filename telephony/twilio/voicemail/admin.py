"""Voicemail: the list, and the page of a message with its player, its transcript and the number to ring back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import Access, access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from recordings.player import stored_sound
from recordings.services.access import note_listening
from sessions.calls.admin.call import call_link, shown_number
from sessions.calls.admin.display import duration_text
from sessions.messages.models import OutboxMessage
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import read_caller, show_number

from . import services
from .models import Voicemail

State = Voicemail.State
NEW, HEARD = "new", "heard"
COLORS: Mapping[str, str] = {
    NEW: "warning",
    HEARD: "success",
    State.FETCHING: "info",
    State.EMPTY: "info",
    State.FAILED: "danger",
    State.LOST: "danger",
}
LONGEST_EXCERPT = 120


def may_be_fetched(voicemail: Voicemail) -> bool:
    return voicemail.state in (*Voicemail.NOT_FETCHED, State.LOST)


def may_be_transcribed(voicemail: Voicemail) -> bool:
    return voicemail.state == State.STORED and voicemail.recording is not None and bool(voicemail.no_transcript)


def may_be_sent(voicemail: Voicemail) -> bool:
    return voicemail.state in (State.STORED, State.LOST)


def sees_caller(access: Access, voicemail: Voicemail) -> bool:
    """Also to those who do the daily work: they ring back."""
    organization_id = voicemail.call.organization_id
    return access.sees_numbers_of(organization_id) or access.may(Area.CALLS, Power.OPERATE, organization_id)


@admin.register(Voicemail)
class VoicemailAdmin(NumberSearch[Voicemail], ReadOnlyAdmin[Voicemail]):
    """Listening marks a message as heard; who was the first is kept."""

    area = Area.CALLS
    list_display = ("created_at", "status", "caller", "reason", "duration", "excerpt", "of_call")
    list_filter = ("state", "why", "created_at")
    list_select_related = ("call__organization",)
    linkable = ("call", "heard_at")
    search_fields = ("transcript", "=recording_sid")
    number_fields = ("call__caller_number",)
    ordering = ("-created_at",)
    fields = (
        "status", "explanation", "player", "transcript", "no_transcript", "caller", "why", "duration", "created_at",
        "heard_at", "heard_by", "of_call", "sent", "of_recording", "is_at_carrier", "recording_sid",
    )  # fmt: skip
    # Shown only where they say something.
    optional = ("explanation", "transcript", "no_transcript", "heard_at", "heard_by")
    readonly_fields = ("status", "player", "caller", "duration", "created_at", "of_call", "sent", "of_recording")
    buttons = (
        Button("heard", _("Mark as heard"), "mark_heard", icon="check", style="primary",
               is_offered=lambda voicemail: voicemail.heard_at is None),
        Button("new", _("Mark as new"), "mark_new", icon="mark_email_unread",
               is_offered=lambda voicemail: voicemail.heard_at is not None),
        Button("fetch", _("Fetch again"), "fetch_again", icon="replay", is_offered=may_be_fetched),
        Button("transcribe", _("Transcribe again"), "transcribe_again", icon="notes", is_offered=may_be_transcribed),
        Button("send", _("Send again"), "send_again", icon="forward_to_inbox", is_offered=may_be_sent),
    )  # fmt: skip

    def sees_numbers(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access.sees_all or all(
            access.sees_numbers_of(each) or access.may(Area.CALLS, Power.OPERATE, each)
            for each in access.organizations(self.area)
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voicemail]:
        return super().get_queryset(request).select_related("call__organization", "recording__call")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Voicemail | None:
        """With what the page may show to this user."""
        voicemail = super().get_object(request, object_id, from_field)
        if voicemail is not None:
            vars(voicemail)["sees_caller"] = sees_caller(access_of(request), voicemail)
            vars(voicemail)["may_listen"] = self.has_power(request, Power.OPERATE, voicemail)
        return voicemail

    def get_fields(self, request: HttpRequest, obj: Voicemail | None = None) -> list[Any]:
        return [each for each in self.fields if each not in self.optional or getattr(obj, each, None)]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The caller's number as this user may read it: a column made for the request."""
        access = access_of(request)

        @display(description=gettext("caller"), ordering="call__caller_number")
        def caller(voicemail: Voicemail) -> str:
            number = shown_number(voicemail.call, sees=sees_caller(access, voicemail))
            return format_html('<span class="va-nowrap">{}</span>', number)

        return [caller if each == "caller" else each for each in super().get_list_display(request)]

    def page_links(self, request: HttpRequest, row: Voicemail) -> tuple[PageLink, ...]:
        number = read_caller(row.call.caller_number).number
        if not number or not sees_caller(access_of(request), row):
            return ()
        return (
            PageLink(gettext("Call %(show_number)s") % {"show_number": show_number(number)}, "call", f"tel:{number}"),
        )

    @display(description=_("status"), ordering="state", label=COLORS)
    def status(self, voicemail: Voicemail) -> tuple[str, str]:
        return status_badge(voicemail)

    @display(description=_("caller"))
    def caller(self, voicemail: Voicemail) -> str:
        return shown_number(voicemail.call, sees=vars(voicemail).get("sees_caller", False))

    @display(description=_("reason"), ordering="why")
    def reason(self, voicemail: Voicemail) -> str:
        return voicemail.get_why_display()

    @display(description=_("duration"), ordering="duration_s")
    def duration(self, voicemail: Voicemail) -> str:
        return duration_text(voicemail.duration_s)

    @display(description=_("message"))
    def excerpt(self, voicemail: Voicemail) -> str:
        text = voicemail.transcript or voicemail.explanation
        return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT].rsplit(' ', 1)[0]} …"

    @display(description=_("audio"))
    def player(self, voicemail: Voicemail) -> str:
        if voicemail.recording is None:
            return gettext("There is no audio.")
        if not vars(voicemail).get("may_listen"):
            return gettext("Your role may not listen to it.")
        return format_html(
            '<audio class="va-player" controls preload="none" src="{}" aria-label="The message"></audio>',
            audio_url(voicemail),
        )

    @display(description=_("call"))
    def of_call(self, voicemail: Voicemail) -> str:
        return call_link(voicemail.call)

    @display(description=_("sent to the organization"))
    def sent(self, voicemail: Voicemail) -> str:
        """Each delivery, and why one failed."""
        lines = [(_name_of(each), each.state_label, each.last_error) for each in services.deliveries_of(voicemail)]
        return (
            format_html_join(
                mark_safe("<br>"),
                "{}",
                ((f"{name}: {state}{f' ({error})' if error else ''}",) for name, state, error in lines),
            )
            or "–"
        )

    @display(description=_("recording"))
    def of_recording(self, voicemail: Voicemail) -> str:
        if voicemail.recording is None:
            return "–"
        url = reverse("admin:recordings_recording_change", args=(voicemail.recording.pk,))
        return format_html('<a class="va-link" href="{}">{}</a>', url, voicemail.recording)

    def mark_heard(self, request: HttpRequest, voicemail: Voicemail, _: str) -> str:
        services.mark_heard(voicemail, by=request.user.get_username())
        return gettext("The message is marked as heard.")

    def mark_new(self, request: HttpRequest, voicemail: Voicemail, _: str) -> str:
        services.mark_new(voicemail)
        return gettext("The message is marked as new.")

    def fetch_again(self, request: HttpRequest, voicemail: Voicemail, _: str) -> str:
        services.fetch_again(voicemail)
        return gettext("The recording is being fetched from Twilio.")

    def transcribe_again(self, request: HttpRequest, voicemail: Voicemail, _: str) -> str:
        services.transcribe_again(voicemail)
        return gettext("The message is being transcribed.")

    def send_again(self, request: HttpRequest, voicemail: Voicemail, _: str) -> str:
        if not services.send_again(voicemail):
            raise ApplicationError(gettext("No voicemail address is set. Enter an e-mail address on the organization's "
                                   "page, or add a webhook endpoint that receives voicemail."))  # fmt: skip
        return gettext("The message is being sent to the organization.")

    def get_urls(self) -> list[URLPattern]:
        listen = path("<path:object_id>/audio.wav", self.page(self.listen), name="telephony_voicemail_audio")
        return [listen, *super().get_urls()]

    def listen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The audio for the player."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        voicemail = self.get_object(request, object_id)
        if voicemail is None or voicemail.recording is None:
            raise Http404("There is no such message.")
        if not self.has_power(request, Power.OPERATE, voicemail):
            raise PermissionDenied
        response = stored_sound(request, voicemail.recording)
        if request.method == "GET" and response.status_code in (200, 206):
            username = request.user.get_username()
            services.mark_heard(voicemail, by=username)
            note_listening(voicemail.recording, by=username)
        return response


def _name_of(message: OutboxMessage) -> str:
    if message.topic == services.MAIL:
        return "E-mail"
    return gettext("Webhook to %(endpoint)s") % {"endpoint": message.endpoint} if message.endpoint else "Webhook"


def status_badge(voicemail: Voicemail) -> tuple[str, str]:
    """A key of COLORS, and the state for people."""
    if voicemail.state != State.STORED:
        return voicemail.state, voicemail.get_state_display()
    return (HEARD, gettext("Heard")) if voicemail.heard_at else (NEW, gettext("New"))


def audio_url(voicemail: Voicemail) -> str:
    return reverse("admin:telephony_voicemail_audio", args=(voicemail.pk,))
