"""Agents: the draft and its publication."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.admin.differences import differences
from agents.configuration.models import DEFAULT_TOOLS, Agent
from agents.configuration.readiness import blockers, warnings_of
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from agents.organizations.trades import TOOL_LABELS
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import CheckboxSelectMultiple, Textarea, display

from .checklist import checklist_of
from .suggestions import suggestions_for

# On one page, not in tabs: a field with an error is never out of sight.
PERSONA_FIELDSETS: Any = (
    (_("Tools"), {"fields": ("tools",)}),
    (_("AI provider"), {"fields": ("provider", "fails_over")}),
    (_("Voice and turn detection"), {
        "fields": ("voice", "model", "language", "noise_reduction", "turn_detection", "vad_threshold",
                   "vad_prefix_padding_ms", "vad_silence_ms", "vad_eagerness"),
    }),
    (_("Silence and time limits"), {
        "fields": ("reprompt", "reprompt_after_s", "silence_goodbye", "goodbye_after_s", "filler",
                   "filler_after_ms", "longest_call_minutes"),
    }),
    (_("Recording"), {"fields": ("recording", "room_recording")}),
)  # fmt: skip


NOT_AN_ID = _("Enter the ID of an assistant as VAPI shows it, like 732ba29e-4aeb-48ad-bd47-440d3fce8b26.")


class AgentForm(TenantForm):
    only_one = "is_default"

    tools = forms.MultipleChoiceField(
        choices=list(TOOL_LABELS.items()),
        required=False,
        widget=CheckboxSelectMultiple(),
        help_text=_("What the agent can do. Without “Submit the order” it takes no orders."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"provider", "recording", "room_recording"} & set(self.fields):
            self.fields[name].required = False  # a form without it keeps what is set

    def clean_provider(self) -> str:
        return str(self.cleaned_data.get("provider") or self.instance.provider)

    def clean_recording(self) -> str:
        return str(self.cleaned_data.get("recording") or self.instance.recording)

    def clean_room_recording(self) -> str:
        return str(self.cleaned_data.get("room_recording") or self.instance.room_recording)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        reprompt, goodbye = cleaned.get("reprompt_after_s"), cleaned.get("goodbye_after_s")
        if reprompt and goodbye and goodbye <= reprompt:
            self.add_error("goodbye_after_s", gettext("Enter a longer time than that before the reprompt."))
        is_played_by_vapi = Agent.Provider.VAPI in (cleaned.get("provider"), _other_provider(cleaned))
        if cleaned.get("recording") == Agent.RecordedBy.VAPI and not is_played_by_vapi:
            self.add_error(
                "recording",
                gettext("VAPI records only calls that it plays. Choose it as AI provider, or another recorder."),
            )
        owner = getattr(cleaned.get("organization"), "pk", None) or self.instance.organization_id
        if cleaned.get("vapi_assistant_id") and _is_of_others(cleaned["vapi_assistant_id"], owner):
            self.add_error("vapi_assistant_id", gettext("This assistant belongs to an agent of another organization."))
        return cleaned

    def clean_vapi_assistant_id(self) -> str:
        """As VAPI writes it."""
        given = str(self.cleaned_data.get("vapi_assistant_id") or "").strip()
        try:
            return str(UUID(given)) if given else ""
        except ValueError as exc:
            raise forms.ValidationError(NOT_AN_ID) from exc


def _other_provider(cleaned: dict[str, Any]) -> str:
    """Who takes calls that the AI provider does not answer; empty if nobody does."""
    return Agent(provider=cleaned.get("provider", ""), fails_over=cleaned.get("fails_over", False)).fallback_provider


def _is_of_others(assistant_id: str, organization_id: UUID | None) -> bool:
    """Whether an agent of another organization names it, or is kept in step with it."""
    named_or_kept = Q(vapi_assistant_id=assistant_id) | Q(vapi_assistant__assistant_id=assistant_id)
    return Agent.objects.filter(named_or_kept).exclude(organization=organization_id).exists()


@admin.register(Agent)
class AgentAdmin(TenantAdmin[Agent]):
    """The form is the draft; calls use the published version."""

    area = Area.AGENTS
    begins_with_organization = True
    form = AgentForm
    list_display = ("name", "organization", "status", "live_version", "is_default", "draft")
    list_filter = ("is_paused", "is_default", "organization")
    list_select_related = ("organization", "published_version")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("organization", "name", "is_default", "prompt", "greeting", "protects_greeting")}),
        PERSONA_FIELDSETS[0],
        (_("AI provider"), {"fields": ("provider", "fails_over", "vapi_assistant_id")}),
        *PERSONA_FIELDSETS[2:],
    )
    buttons = (
        Button("publish", _("Publish"), "publish", icon="publish", style="primary", power=Power.EDIT,
               prompt=_("What is new? (note for the version list)")),
        Button("pause", _("Pause"), "pause", icon="pause", power=Power.EDIT,
               confirm=_("Callers will hear that nobody can take their call."),
               is_offered=lambda agent: not agent.is_paused),
        Button("resume", _("Resume"), "resume", icon="play_arrow", style="primary", power=Power.EDIT,
               is_offered=lambda agent: agent.is_paused),
    )  # fmt: skip

    @display(description=_("status"), label={"live": "success", "paused": "warning", "unpublished": "danger"})
    def status(self, agent: Agent) -> tuple[str, str]:
        if agent.published_version is None:
            return "unpublished", gettext("Not published")
        return ("paused", gettext("Paused")) if agent.is_paused else ("live", gettext("Live"))

    @display(description=_("live version"))
    def live_version(self, agent: Agent) -> str:
        return str(agent.published_version.number) if agent.published_version else "–"

    @display(description=_("draft"))
    def draft(self, agent: Agent) -> str:
        if agent.published_version is None:
            return "–"
        changes = len(differences(agent.published_version, agent))
        if not changes:
            return gettext("No changes")
        text = ngettext("%(number)s unpublished change", "%(number)s unpublished changes", changes)
        return text % {"number": changes}

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "prompt":
            kwargs["widget"] = Textarea(attrs={"rows": 14})
        elif (suggestions := suggestions_for(db_field.name)) is not None:
            kwargs["widget"] = suggestions
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new agent starts with the tools, prompt and greeting of its organization's type of business."""
        given = super().get_changeform_initial_data(request)
        of_page = self.organization_of_page(request)
        organization = Organization.objects.filter(pk=of_page).first() if of_page else None
        defaults = organization.agent_defaults() if organization else None
        return {**asdict(defaults), **given} if defaults else {"tools": DEFAULT_TOOLS, **given}

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        """A published agent is paused instead: its calls refer to its versions."""
        was_published = isinstance(obj, Agent) and obj.published_version_id is not None
        return super().has_delete_permission(request, obj) and not was_published

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        agent = self.get_object(request, object_id)
        context = {"publication": publication_of(agent)} if agent else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        if not change and not Agent.objects.filter(organization=obj.organization_id, is_default=True).exists():
            # The first agent of an organization becomes its default.
            obj.is_default = True
        super().save_model(request, obj, form, change)

    def page_links(self, request: HttpRequest, row: Agent) -> tuple[PageLink, ...]:
        """Pages of folders above this one."""
        if not self.has_power(request, Power.EDIT, row):
            return ()
        scenarios = f"{reverse('admin:telephony_scenario_changelist')}?agent__id__exact={row.pk}"
        return (
            PageLink(gettext("Test bench"), "science", reverse("test-bench", args=(row.pk,))),
            PageLink(gettext("Scenarios"), "fact_check", scenarios),
        )

    def blockers(self, request: HttpRequest, row: Agent, button: Button) -> tuple[str, ...]:
        return blockers(row) if button.name == "publish" else ()

    def publish(self, request: HttpRequest, agent: Agent, note: str) -> str:
        for warning in warnings_of(agent):
            self.message_user(request, warning, messages.WARNING)
        version = publish_agent(agent, by=request.user.get_username(), note=note[:200])
        return gettext("Version %(number)s of %(agent)s is published and live from the next call on.") % {
            "number": version.number,
            "agent": agent,
        }

    def pause(self, request: HttpRequest, agent: Agent, _: str) -> str:
        Agent.objects.filter(pk=agent.pk).update(is_paused=True)
        return gettext("%(agent)s is paused.") % {"agent": agent}

    def resume(self, request: HttpRequest, agent: Agent, _: str) -> str:
        Agent.objects.filter(pk=agent.pk).update(is_paused=False)
        return gettext("%(agent)s is live again.") % {"agent": agent}


def publication_of(agent: Agent) -> dict[str, Any]:
    """What the page shows about versions, besides the draft."""
    published, checklist = agent.published_version, checklist_of(agent)
    return {
        "published": published,
        "checklist": checklist,
        "needs_work": not all(check.is_good for check in checklist),
        "differences": differences(published, agent) if published else (),
        "versions": [
            {
                "version": version,
                "url": reverse("admin:agents_agentversion_change", args=(version.pk,)),
                "is_published": version.pk == agent.published_version_id,
            }
            for version in agent.versions.all()[:20]
        ],
    }
