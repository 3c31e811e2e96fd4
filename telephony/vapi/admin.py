"""VAPI's calls, and the assistants that our agents have there, with what would be changed before it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import as_json, display
from sessions.calls.admin.call import call_link
from voiceapp.core.differences import DiffLine, compare
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.vapi.client import VapiClient, VapiError

from .comparison import Difference, Origin
from .models import SyncedAssistant, VapiLeg
from .sync import Action, Plan, agents_at_vapi, apply_plan, plan_sync

COMPARE = "admin:telephony_syncedassistant_compare"
# What the history says, the same where changes made at VAPI were overwritten, and what the user reads.
OUTCOMES = {
    Action.CREATE: (
        _("Assistant created."),
        _("Assistant created, over changes made at VAPI."),
        _("The assistant of %(agent)s was created."),
    ),
    Action.UPDATE: (
        _("Assistant updated."),
        _("Assistant updated, over changes made at VAPI."),
        _("The assistant of %(agent)s was updated."),
    ),
}
COMPARED = (
    _("Assistant compared."),
    _("Assistant compared, over changes made at VAPI."),
    _("The assistant of %(agent)s was compared."),
)


@admin.register(VapiLeg)
class VapiLegAdmin(ReadOnlyAdmin[VapiLeg]):
    area = Area.CALLS
    list_display = ("created_at", "vapi_id", "status", "ended_reason", "cost_usd", "carries_phone", "of_call")
    list_filter = ("status", "carries_phone", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=vapi_id", "ended_reason")
    fields = ("vapi_id", "assistant_id", "status", "ended_reason", "started_at", "ended_at", "cost_usd", "cost_parts",
              "carries_phone", "recording", "reported_at", "checks", "check_at", "of_call")  # fmt: skip
    readonly_fields = ("cost_parts", "recording", "of_call")

    @display(description=_("call"))
    def of_call(self, leg: VapiLeg) -> str:
        return call_link(leg.call)

    @display(description=_("cost by part"))
    def cost_parts(self, leg: VapiLeg) -> str:
        return as_json(leg.costs)

    @display(description=_("recording at VAPI"))
    def recording(self, leg: VapiLeg) -> str:
        """Text, and no link: the address alone lets one listen."""
        return leg.stereo_recording_url or leg.recording_url or "–"


@dataclass(frozen=True, slots=True)
class ShownDifference:
    label: str
    lines: Sequence[DiffLine]
    is_by_hand: bool


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan on the page. `may_edit`: the user may write it."""

    plan: Plan
    may_edit: bool

    @property
    def differences(self) -> list[ShownDifference]:
        return [_shown(each) for each in self.plan.differences]

    @property
    def can_apply(self) -> bool:
        return self.may_edit and self.plan.action in (Action.CREATE, Action.UPDATE)

    @property
    def can_overwrite(self) -> bool:
        return self.may_edit and (bool(self.plan.by_hand) or self.plan.action is Action.DELETED)


@admin.register(SyncedAssistant)
class SyncedAssistantAdmin(ReadOnlyAdmin[SyncedAssistant]):
    """The list is what we last wrote; the page “Compare with VAPI” shows what is there now."""

    area = Area.AGENTS
    list_display = ("of_agent", "assistant_id", "state", "synced_at", "synced_by")
    list_select_related = ("agent__organization", "agent__published_version")
    list_display_links = ("assistant_id",)
    search_fields = ("=assistant_id", "agent__name")
    actions = ("compare_chosen",)
    change_list_template = "admin/telephony/assistants.html"
    fields = ("of_agent", "assistant_id", "state", "synced_at", "synced_by", "written")
    readonly_fields = ("of_agent", "state", "written")

    def get_urls(self) -> list[URLPattern]:
        view = self.page(self.compare)
        return [path("compare/", view, name="telephony_syncedassistant_compare"), *super().get_urls()]

    @display(description=_("agent"), ordering="agent__name")
    def of_agent(self, row: SyncedAssistant) -> str:
        url = reverse("admin:agents_agent_change", args=(row.agent_id,))
        return format_html('<a class="va-link" href="{}">{}</a>', url, row.agent)

    @display(description=_("state"), label={"current": "success", "outdated": "warning", "none": "danger"})
    def state(self, row: SyncedAssistant) -> tuple[str, str]:
        version = row.agent.published_version
        if not row.assistant_id:
            return "none", gettext("Not at VAPI")
        if version is None or version.number != row.version:
            return "outdated", gettext("Version %(version)s, published %(published)s") % {
                "version": row.version or "–",
                "published": version.number if version else "–",
            }
        return "current", gettext("Version %(version)s") % {"version": row.version}

    @display(description=_("last written"))
    def written(self, row: SyncedAssistant) -> str:
        return as_json(row.sent)

    @admin.action(description=_("Compare with VAPI"))
    def compare_chosen(self, request: HttpRequest, rows: QuerySet[SyncedAssistant]) -> HttpResponse:
        chosen = "&".join(f"agent={agent_id}" for agent_id in rows.values_list("agent_id", flat=True))
        return HttpResponseRedirect(f"{reverse(COMPARE)}?{chosen}")

    def compare(self, request: HttpRequest) -> HttpResponse:
        """GET shows the differences of all agents, or of those that the address names; POST applies one of them."""
        if not self.has_power(request, Power.VIEW):
            raise PermissionDenied
        agents = self._agents(request)
        if request.method == "POST":
            self._apply(request, agents)
            return HttpResponseRedirect(request.get_full_path())
        plans: list[ShownPlan] = []
        fault = ""
        try:
            access = access_of(request)
            plans = [
                ShownPlan(plan, access.may(self.area, Power.EDIT, plan.agent.organization_id))
                for plan in plan_sync(agents, VapiClient.from_settings())
            ]
        except VapiError as error:
            fault = f"{error}."
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Compare with VAPI"),
            "opts": self.opts,
            "plans": plans,
            "fault": fault,
        }
        return TemplateResponse(request, "admin/telephony/compare_assistants.html", context)

    def _agents(self, request: HttpRequest) -> list[Agent]:
        """Those that the user may see."""
        agents = Agent.objects.visible_to(access_of(request).principal(self.area)).values("pk")
        chosen = [each for each in request.GET.getlist("agent") if each.isascii() and each.isdigit()]
        found = agents_at_vapi().filter(pk__in=agents)
        return list(found.filter(pk__in=chosen) if chosen else found)

    def _apply(self, request: HttpRequest, agents: Sequence[Agent]) -> None:
        """Only what the user has seen: otherwise the page is shown again."""
        agent = next((each for each in agents if str(each.pk) == request.POST.get("agent")), None)
        if agent is None or not access_of(request).may(self.area, Power.EDIT, agent.organization_id):
            raise PermissionDenied
        overwrite = "overwrite" in request.POST
        try:
            client = VapiClient.from_settings()
            (plan,) = plan_sync([agent], client)
            if plan.digest != request.POST.get("digest"):
                messages.warning(request, gettext("Something has changed meanwhile. Nothing was written: look again."))
                return
            done = apply_plan(plan, client, by=request.user.get_username(), overwrite=overwrite)
        except (VapiError, ApplicationError) as error:
            messages.error(request, gettext("Nothing was written. %(error)s") % {"error": error})
            return
        logged, logged_overwriting, said = OUTCOMES.get(done, COMPARED)
        row = SyncedAssistant.objects.get(agent=agent)
        self.log_change(request, row, str(logged_overwriting if overwrite else logged))
        messages.success(request, said % {"agent": agent})


def _shown(difference: Difference) -> ShownDifference:
    lines = compare(difference.theirs, difference.ours)
    return ShownDifference(difference.label, lines, difference.origin is not Origin.OURS)
