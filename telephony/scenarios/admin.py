"""Scenarios: their steps and expectations, and what came of their runs against draft and published version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.dates import DatedList
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import ChangeList, Textarea, display
from sessions.calls.admin.call import call_link
from voiceapp.core.errors import ApplicationError

from .conversation import Entry
from .models import Scenario, ScenarioRun, Verdict
from .queries import Compared, compared, newest_runs
from .services import is_stale, start_runs

Target = ScenarioRun.Target
COLORS = {Verdict.PASSED: "success", Verdict.FAILED: "danger", Verdict.BROKEN: "warning"}
EARLIER_RUNS = 20


class ScenarioList(DatedList):
    """Reads the newest runs of the page in two queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        runs = newest_runs([each.pk for each in self.result_list])
        for scenario in self.result_list:
            newest = {target: runs.get((scenario.pk, target)) for target in Target}
            setattr(scenario, "newest", newest)  # noqa: B010 - no attribute of a scenario's


@dataclass(frozen=True, slots=True)
class ShownRun:
    """The newest run against one target. `is_stale`: scenario or agent were changed since."""

    target: str
    title: str
    run: ScenarioRun | None
    color: str
    is_stale: bool
    entries: Sequence[Entry]


@admin.register(Scenario)
class ScenarioAdmin(TenantAdmin[Scenario]):
    area = Area.AGENTS
    list_display = ("name", "agent", "step_count", "with_draft", "with_published")
    list_filter = ("agent",)
    list_select_related = ("agent",)
    search_fields = ("name", "agent__name")
    fields = ("agent", "name", "steps", "expected_order", "expected_total", "expected_appointments", "of_call")
    readonly_fields = ("of_call",)
    actions = ("run_selected",)
    change_form_template = "admin/telephony/scenario/change_form.html"
    buttons = (Button("run", gettext_lazy("Run"), "run", icon="play_arrow", style="primary", power=Power.EDIT),)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScenarioList

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        rows = {"steps": 8, "expected_order": 4, "expected_appointments": 2}.get(db_field.name)
        if rows:
            kwargs["widget"] = Textarea(attrs={"rows": rows})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def page_links(self, request: HttpRequest, row: Scenario) -> tuple[PageLink, ...]:
        url = reverse("admin:agents_agent_change", args=(row.agent_id,))
        return (PageLink(str(row.agent), "support_agent", url),)

    @display(description=gettext_lazy("steps"))
    def step_count(self, scenario: Scenario) -> int:
        return len(scenario.step_lines)

    @display(description=gettext_lazy("draft"))
    def with_draft(self, scenario: Scenario) -> str:
        return badge_of(_newest(scenario, Target.DRAFT))

    @display(description=gettext_lazy("published version"))
    def with_published(self, scenario: Scenario) -> str:
        return badge_of(_newest(scenario, Target.PUBLISHED))

    @display(description=gettext_lazy("made from the call"))
    def of_call(self, scenario: Scenario) -> str:
        return call_link(scenario.made_from)

    def run(self, request: HttpRequest, scenario: Scenario, _text: str) -> str:
        started = start_runs(scenario.agent, [scenario], tuple(Target), by=request.user.get_username())
        return started.sentence()

    @admin.action(description=gettext_lazy("Run against draft and published version"))
    def run_selected(self, request: HttpRequest, chosen: QuerySet[Scenario]) -> None:
        mine = list(self.rows_with(request, chosen, Power.EDIT).select_related("agent"))
        by = request.user.get_username()
        for agent in {each.agent_id: each.agent for each in mine}.values():
            try:
                own = [each for each in mine if each.agent_id == agent.pk]
                self.message_user(request, f"{agent}: {start_runs(agent, own, tuple(Target), by=by).sentence()}")
            except ApplicationError as exc:
                self.message_user(request, f"{agent}: {exc}", messages.ERROR)
        if not mine:
            self.message_user(request, _("You may not run these scenarios."), messages.ERROR)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        scenario = self.get_object(request, object_id)
        context = results_of(scenario) if scenario else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


def _newest(scenario: Scenario, target: str) -> ScenarioRun | None:
    newest: dict[str, ScenarioRun | None] = getattr(scenario, "newest", {})
    return newest.get(target)


def badge_of(run: ScenarioRun | None) -> str:
    """The result as a word with a color."""
    if run is None:
        return _("Not run")
    if run.verdict and not run.is_running:
        color, text = COLORS[Verdict(run.verdict)], run.get_verdict_display()
    else:
        color, text = ("info", _("Running")) if run.is_running else ("danger", _("Broke off"))
    return format_html('<span class="va-badge va-{}">{}</span>', color, text)


def results_of(scenario: Scenario) -> dict[str, Any]:
    """What the page shows below the form: the newest runs beside each other, and earlier ones."""
    kept = list(ScenarioRun.objects.filter(scenario=scenario).select_related("version").defer("entries")[:EARLIER_RUNS])
    newest = {target: next((run for run in kept if run.target == target), None) for target in Target}
    shown = [_shown(scenario, target, newest[target]) for target in Target]
    runs = {target.value: run for target, run in newest.items() if run is not None and run.verdict}
    return {
        "shown_runs": shown,
        "is_running": any(run is not None and run.is_running for run in newest.values()),
        "compared": [_cells(line) for line in compared(runs)],
        "earlier": [(run, badge_of(run)) for run in kept],
        "step_total": len(scenario.step_lines),
    }


def _shown(scenario: Scenario, target: ScenarioRun.Target, run: ScenarioRun | None) -> ShownRun:
    title = str(target.label)
    if run is not None and run.version is not None:
        title = _("Version %(number)d") % {"number": run.version.number}
    entries = [Entry.of_json(each) for each in run.entries] if run is not None else []
    stale = run is not None and not run.is_running and is_stale(run, scenario)
    return ShownRun(target, title, run, badge_of(run), stale, entries)


def _cells(line: Compared) -> dict[str, Any]:
    return {"expected": line.expected, "got": [line.got.get(target) for target in Target]}
