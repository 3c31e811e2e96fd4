"""The versions of an agent: what differs between them, and how the greeting sounds."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.admin.differences import differences
from agents.configuration.models import AgentVersion, Persona
from agents.configuration.opening import opening_of
from agents.configuration.services import roll_back_agent
from agents.greetings.services import keep_greeting_again
from agents.organizations.roles import Area, Power
from agents.organizations.trades import TOOL_LABELS
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display

from .agent import PERSONA_FIELDSETS
from .greeting_audio import can_be_made, kept_of, sentence, sound, sound_response


@admin.register(AgentVersion)
class AgentVersionAdmin(ReadOnlyAdmin[AgentVersion]):
    """A version is never edited; rolling back makes it live again."""

    area = Area.AGENTS
    list_display = ("agent", "number", "live", "note", "published_by", "published_at")
    list_filter = ("agent",)
    list_select_related = ("agent",)
    fieldsets = (
        (None, {"fields": ("agent_link", "number", "note", "published_by", "published_at", "prompt", "greeting",
                           "greeting_audio", "protects_greeting")}),
        (_("Tools"), {"fields": ("enabled_tools",)}),
        *PERSONA_FIELDSETS[1:],
    )  # fmt: skip
    readonly_fields = ("agent_link", "enabled_tools", "greeting_audio")
    buttons = (
        Button(
            "roll-back",
            _("Roll back to this version"),
            "roll_back",
            icon="history",
            style="primary",
            power=Power.EDIT,
            confirm=_("This version is live from the next call on. The draft is not changed."),
            is_offered=lambda version: version.agent.published_version_id != version.pk,
        ),
        Button(
            "make-greeting",
            _("Make the greeting audio again"),
            "make_greeting",
            icon="record_voice_over",
            power=Power.EDIT,
            is_offered=can_be_made,
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        view, name = self.page(self.greeting_sound), "agents_agentversion_greeting"
        return [path("<path:object_id>/greeting.wav", view, name=name), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentVersion]:
        return super().get_queryset(request).select_related("agent__organization")

    @display(description=_("live"), label={"live": "success"})
    def live(self, version: AgentVersion) -> tuple[str, str] | str:
        return ("live", gettext("Live")) if version.agent.published_version_id == version.pk else ""

    @display(description=_("tools"))
    def enabled_tools(self, version: AgentVersion) -> str:
        return ", ".join(str(TOOL_LABELS.get(name, name)) for name in version.tools) or gettext("None")

    @display(description=_("greeting audio"))
    def greeting_audio(self, version: AgentVersion) -> str:
        kept = kept_of(version)
        if kept is None or kept.made_at is None:
            return sentence(version, kept)
        url = reverse("admin:agents_agentversion_greeting", args=(version.pk,))
        player = '<audio controls preload="metadata" src="{}?made={}" aria-label="{}"></audio><p>{}</p>'
        return format_html(player, url, int(kept.made_at.timestamp()), gettext("Greeting"), sentence(version, kept))

    def greeting_sound(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is None:
            raise Http404("There is no such version.")
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        return sound_response(request, sound(version))

    def make_greeting(self, request: HttpRequest, version: AgentVersion, _: str) -> str:
        keep_greeting_again(version.agent.organization_id, opening_of(version, version.agent.organization))
        return gettext("The greeting is being made. Until it is ready, the model speaks it.")

    @display(description=_("agent"))
    def agent_link(self, version: AgentVersion) -> str:
        url = reverse("admin:agents_agent_change", args=(version.agent_id,))
        return format_html('<a class="va-link" href="{}">{}</a>', url, version.agent)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        context = {"comparisons": comparisons_of(version)} if version else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def roll_back(self, request: HttpRequest, version: AgentVersion, _: str) -> str:
        roll_back_agent(version.agent, number=version.number)
        return gettext("Version %(number)s of %(agent)s is live again.") % {
            "number": version.number,
            "agent": version.agent,
        }


def comparisons_of(version: AgentVersion) -> list[dict[str, Any]]:
    """Against the previous version and against the current draft."""
    previous = AgentVersion.objects.filter(agent=version.agent_id, number__lt=version.number).first()
    pairs: list[tuple[str, Persona, Persona]] = []
    if previous is not None:
        pairs.append(
            (
                gettext("Changes from version %(number)s to version %(number_2)s")
                % {"number": previous.number, "number_2": version.number},
                previous,
                version,
            )
        )
    pairs.append(
        (gettext("Changes from version %(number)s to the draft") % {"number": version.number}, version, version.agent)
    )
    return [{"title": title, "differences": differences(before, after)} for title, before, after in pairs]
