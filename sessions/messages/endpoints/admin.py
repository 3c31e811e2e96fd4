"""Webhook endpoints: added, tested, paused and rotated by owners and managers. A secret is shown once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when_of
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import CheckboxSelectMultiple, TextInput, display
from sessions.messages.models import OutboxMessage
from voiceapp.core.errors import ApplicationError
from voiceapp.core.web_addresses import MAX_URL_LENGTH

from .events import CHOOSABLE
from .models import WebhookAttempt, WebhookEndpoint
from .services.endpoints import (
    check_room,
    check_url,
    create_endpoint,
    known_events,
    pause_endpoint,
    replay_undelivered,
    resume_endpoint,
    rotate_secret,
    send_test,
)


class WebhookEndpointForm(TenantForm):
    url = forms.CharField(
        label="URL",
        max_length=MAX_URL_LENGTH,
        widget=TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
        help_text=_("Public, and starts with https://. Redirects are not followed."),
    )
    events = forms.MultipleChoiceField(
        choices=[(event.value, f"{event.value}: {event.label}") for event in CHOOSABLE],
        widget=CheckboxSelectMultiple(),
        error_messages={"required": _("Choose at least one event.")},
    )

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except ApplicationError as exc:
            raise forms.ValidationError(str(exc)) from exc
        return url

    def clean_events(self) -> list[str]:
        return known_events(self.cleaned_data["events"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        organization = cleaned.get("organization")
        if self.instance._state.adding and organization is not None:
            try:
                check_room(organization)
            except ApplicationError as exc:
                raise forms.ValidationError(str(exc)) from exc
        return cleaned


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantAdmin[WebhookEndpoint]):
    """Deleting one keeps the log of its deliveries."""

    area = Area.KEYS
    form = WebhookEndpointForm
    list_display = ("name", "url", "status", "wanted", "last_success_at", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name", "url")
    buttons = (
        Button(
            "test",
            _("Send a test event"),
            "test",
            icon="send",
            style="primary",
            power=Power.EDIT,
            calls_provider=True,
            is_offered=lambda endpoint: not endpoint.is_paused,
        ),
        Button(
            "replay",
            _("Replay all failed"),
            "replay",
            icon="replay",
            power=Power.EDIT,
            is_offered=lambda endpoint: not endpoint.is_paused,
        ),
        Button(
            "resume",
            _("Resume"),
            "resume",
            icon="play_arrow",
            style="primary",
            power=Power.EDIT,
            is_offered=lambda endpoint: endpoint.is_paused,
        ),
        Button(
            "pause",
            _("Pause"),
            "pause",
            icon="pause",
            power=Power.EDIT,
            confirm=_("Nothing is sent to it until it is resumed. Its events are kept, and can be replayed then."),
            is_offered=lambda endpoint: not endpoint.is_paused,
        ),
        Button(
            "rotate",
            _("Rotate secret"),
            "rotate",
            icon="autorenew",
            power=Power.EDIT,
            confirm=_("A new secret is created and shown once. For 24 hours each webhook is signed with both."),
        ),
    )

    @display(description=_("status"), label={"active": "success", "failing": "warning", "paused": "danger"})
    def status(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        if endpoint.is_paused:
            return "paused", gettext("Paused by the system") if endpoint.pause_reason else gettext("Paused")
        if endpoint.failing_since is not None:
            return "failing", gettext("Failing since %(time)s") % {"time": when_of(endpoint, endpoint.failing_since)}
        return "active", gettext("Active")

    @display(description=_("events"))
    def wanted(self, endpoint: WebhookEndpoint) -> str:
        return gettext("All") if set(endpoint.events) >= set(CHOOSABLE) else ", ".join(grouped(endpoint.events))

    @display(description=_("secret"))
    def signing_secret(self, endpoint: WebhookEndpoint) -> str:
        until = endpoint.earlier_secret_until
        if until is None or until <= timezone.now():
            return "whsec_…"
        return gettext("whsec_…; the earlier one is used, too, until %(time)s") % {"time": when_of(endpoint, until)}

    @display(description=_("why it is paused"))
    def why_paused(self, endpoint: WebhookEndpoint) -> str:
        if not endpoint.is_paused:
            return "–"
        return endpoint.pause_reason or gettext("Somebody paused it: the history says who.")

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> tuple[str, ...]:
        fields = ("organization", "name", "url", "events")
        return fields if obj is None else (*fields, "status", "why_paused", "signing_secret", "last_success_at")

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> tuple[str, ...]:
        shown = ("status", "why_paused", "signing_secret", "last_success_at")
        if obj is None:
            return shown
        fields = ("organization", *shown)
        # The form declares these: only a field named here is left out of it.
        return fields if self.has_power(request, Power.EDIT, obj) else (*fields, "url", "events")

    def page_links(self, request: HttpRequest, row: WebhookEndpoint) -> tuple[PageLink, ...]:
        if not access_of(request).may(Area.DELIVERIES, Power.VIEW, row.organization_id):
            return ()
        page, of = reverse("admin:voice_sessions_outboxmessage_changelist"), {"endpoint__id__exact": str(row.pk)}
        failed = {**of, "state__exact": OutboxMessage.State.FAILED.value}
        return (
            PageLink(gettext("Deliveries"), "outbox", f"{page}?{urlencode(of)}"),
            PageLink(gettext("Failed deliveries"), "error", f"{page}?{urlencode(failed)}"),
        )

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if not self.has_power(request, Power.EDIT, obj):
            raise PermissionDenied
        created = create_endpoint(obj.organization, name=obj.name, url=obj.url, events=obj.events)
        obj.pk = created.pk
        obj.refresh_from_db()
        obj._state.adding = False
        show_secret(request, created.secret)

    def test(self, request: HttpRequest, endpoint: WebhookEndpoint, _: str) -> str:
        return test_result(send_test(endpoint))

    def replay(self, request: HttpRequest, endpoint: WebhookEndpoint, _: str) -> str:
        count = replay_undelivered(endpoint)
        if not count:
            return gettext("Nothing has failed: there is nothing to replay.")
        text = ngettext(
            "%(number)s delivery is being sent again, in order.",
            "%(number)s deliveries are being sent again, in order.",
            count,
        )
        return text % {"number": count}

    def resume(self, request: HttpRequest, endpoint: WebhookEndpoint, _: str) -> str:
        resume_endpoint(endpoint)
        return gettext("The endpoint is resumed. “Replay all failed” sends what was kept meanwhile.")

    def pause(self, request: HttpRequest, endpoint: WebhookEndpoint, _: str) -> str:
        pause_endpoint(endpoint)
        return gettext("The endpoint is paused.")

    def rotate(self, request: HttpRequest, endpoint: WebhookEndpoint, _: str) -> str:
        show_secret(request, rotate_secret(endpoint))
        return gettext("The secret was rotated. The earlier one signs, too, for another 24 hours.")


def grouped(events: Collection[str]) -> list[str]:
    """`order.*` in the place of all events of orders."""
    found: dict[str, None] = {}
    for event in CHOOSABLE:
        group = event.partition(".")[0]
        whole = {each for each in CHOOSABLE if each.startswith(f"{group}.")} <= set(events)
        if event in events:
            found[f"{group}.*" if whole else event.value] = None
    return list(found)


def test_result(attempt: WebhookAttempt | None) -> str:
    if attempt is None:
        return gettext("The test event is being sent. “Deliveries” shows what comes of it.")
    if not attempt.error:
        return gettext("The endpoint accepted the test event: %(status)s, after %(duration_ms)s ms.") % {
            "status": attempt.status,
            "duration_ms": attempt.duration_ms,
        }
    shown = f"{attempt.error}"
    why = f"{shown[0].upper()}{shown[1:]}"
    raise ApplicationError(
        gettext("The test event was not accepted. %(why)s. “Deliveries” shows the response.") % {"why": why}
    )


def show_secret(request: HttpRequest, secret: str) -> None:
    """Once, to the person who requested it; it is neither in the history nor in a log."""
    messages.warning(
        request,
        gettext("The endpoint's secret is %(secret)s – copy it now, it is not shown again.") % {"secret": secret},
    )
