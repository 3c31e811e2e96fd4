"""The admin pages of recordings: their state, transcript, and file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from recordings.files import read_file
from recordings.finishing.services import retry_finishing
from recordings.models import Recording, RecordingAccess
from recordings.player import stored_sound
from recordings.services.access import Way, note_access, note_listening
from recordings.storage import SOUND_TYPES, file_link, file_name, is_fetchable
from sessions.calls.admin.call import call_link
from sessions.calls.admin.display import duration_text
from voiceapp.core.errors import ApplicationError
from voiceapp.core.http.security_headers import admin_policy
from voiceapp.providers.errors import ProviderError

State = Recording.State
COLORS: Mapping[str, str] = {
    State.STARTING: "info",
    State.RECORDING: "info",
    State.STORING: "info",
    "waiting": "warning",
    State.STORED: "success",
    State.CUT_SHORT: "warning",
    State.CANCELED: "danger",
    State.FAILED: "danger",
}


def may_be_retried(recording: Recording) -> bool:
    """It was given up, or an attempt failed and the next one comes by itself later."""
    return bool(recording.step and recording.error) and recording.state != State.CANCELED


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin[Recording]):
    """A link to the file is made on request; each request is written to the history."""

    area = Area.RECORDINGS
    list_display = ("created_at", "state_label", "duration", "size", "error", "of_call")
    list_filter = ("state", "source", "file_type", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=external_id", "=label")
    ordering = ("-id",)
    fields = (
        "of_call", "state_label", "step_label", "error", "voices", "duration", "size", "file_type", "label",
        "created_at", "started_at", "ended_at", "is_automatic", "transcript", "url", "bucket", "key",
        "source", "external_id",
    )  # fmt: skip
    readonly_fields = ("of_call", "state_label", "step_label", "voices", "duration", "size", "created_at")
    buttons = (
        Button("fetch", _("Download file"), "fetch", icon="download", style="primary", power=Power.EDIT,
               calls_provider=True,
               is_offered=is_fetchable),
        Button("retry", _("Retry"), "retry", icon="replay", is_offered=may_be_retried),
    )  # fmt: skip

    @display(description=_("state"), ordering="state", label=COLORS)
    def state_label(self, recording: Recording) -> tuple[str, str]:
        if recording.state == State.STORING and recording.step and recording.error:
            return "waiting", gettext("Storing, waiting for a retry")
        return recording.state, recording.get_state_display()

    @display(description=_("finishing"))
    def step_label(self, recording: Recording) -> str:
        """How far it is. A recording that was given up stands at the step that failed."""
        if not recording.step:
            return "–"
        steps = Recording.Step.values
        return gettext("%(step)s (step %(index)s of %(number)s)") % {
            "step": recording.get_step_display(),
            "index": steps.index(recording.step) + 1,
            "number": len(steps),
        }

    @display(description=_("channels"))
    def voices(self, recording: Recording) -> str:
        return {1: "1, both voices", 2: "2, the caller and the agent"}.get(recording.channels or 0, "–")

    @display(description=_("duration"), ordering="duration_ms")
    def duration(self, recording: Recording) -> str:
        return "–" if recording.duration_ms is None else duration_text(recording.duration_ms // 1000)

    @display(description=_("size"), ordering="size_bytes")
    def size(self, recording: Recording) -> str:
        return "–" if recording.size_bytes is None else filesizeformat(recording.size_bytes)

    @display(description=_("call"))
    def of_call(self, recording: Recording) -> str:
        return call_link(recording.call)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recording]:
        # Of a waveform the pages show nothing.
        return super().get_queryset(request).defer("peaks")

    def get_urls(self) -> list[URLPattern]:
        listen = path("<path:object_id>/listen", self.page(self.listen), name="recordings_recording_listen")
        return [listen, *super().get_urls()]

    def listen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The audio for the player, in parts: the permission is checked for each."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        recording = self.get_object(request, object_id)
        if recording is None or not recording.has_file:
            raise Http404("There is no such recording.")
        if not self.has_power(request, Power.OPERATE, recording):
            raise PermissionDenied
        response = stored_sound(request, recording)
        if request.method == "GET" and response.status_code in (200, 206):
            note_listening(recording, by=request.user.get_username())
        return response

    def retry(self, request: HttpRequest, recording: Recording, _: str) -> str:
        if not retry_finishing(recording):
            raise ApplicationError(gettext("This recording is finished. Reload the page."))
        return gettext("The recording is being finished again.")

    def fetch(self, request: HttpRequest, recording: Recording, _: str) -> HttpResponse:
        note_access(recording, by=request.user.get_username(), way=Way.DOWNLOAD)
        if recording.has_file and not recording.bucket and not recording.url:
            return _file_of(recording)
        return HttpResponseRedirect(_link_to(recording))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        response = super().render_change_form(request, context, *args, **kwargs)
        recording: Recording | None = context.get("original")
        if recording and context.get("buttons"):
            try:
                link = urlsplit(_link_to(recording))
            except ApplicationError:
                return response
            response["Content-Security-Policy"] = admin_policy(forms_redirect_to=f"{link.scheme}://{link.netloc}")
        return response


@admin.register(RecordingAccess)
class RecordingAccessAdmin(ReadOnlyAdmin[RecordingAccess]):
    """Who was given the audio of which recording, and when."""

    area = Area.RECORDINGS
    list_display = ("at", "principal", "way", "which", "of_call", "organization")
    list_filter = ("way", "at")
    list_select_related = ("recording__call__organization", "organization")
    linkable = ("recording",)
    search_fields = ("principal", "=recording_number")
    ordering = ("-at", "-id")
    fields = ("at", "principal", "way", "which", "of_call")
    readonly_fields = ("at", "which", "of_call")

    @display(description=_("recording"), ordering="recording_number")
    def which(self, access: RecordingAccess) -> str:
        if access.recording is None:
            return gettext("No. %(recording_number)s (deleted)") % {"recording_number": access.recording_number}
        url = reverse("admin:recordings_recording_change", args=(access.recording.pk,))
        return format_html('<a class="va-link" href="{}">No. {}</a>', url, access.recording_number)

    @display(description=_("call"))
    def of_call(self, access: RecordingAccess) -> str:
        return call_link(access.recording.call if access.recording else None)


def _file_of(recording: Recording) -> HttpResponse:
    """The file itself, from the server's disk."""
    try:
        content = read_file(recording)
    except ProviderError as error:
        raise ApplicationError(gettext("The file cannot be read (%(error)s).") % {"error": error}) from error
    response = HttpResponse(content, content_type=SOUND_TYPES[Recording.FileType(recording.file_type)])
    response["Content-Disposition"] = f'attachment; filename="{file_name(recording)}"'
    return response


def _link_to(recording: Recording) -> str:
    link = file_link(recording)
    if link is None:
        raise ApplicationError(gettext("The file cannot be downloaded: the server has no credentials for the bucket."))
    return link
