"""The test bench of an agent under `/admin/bench/<agent>/`, and the button that makes a scenario of a call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from agents.configuration.models import Agent, AgentVersion
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.organizations.trades import TOOL_LABELS
from sessions.calls.models import Call
from sessions.tools.dry_run import DryRun
from sessions.tools.registry import EVERY_TOOL, RECORDING_TOOLS
from telephony.scenarios.conversation import TEST_CALLER, NotAnswered, Who, conversation, entry_of, use_of
from telephony.scenarios.expectations import made_as_json
from telephony.scenarios.from_call import NoScenario, scenario_from_call
from telephony.scenarios.from_trial import scenario_from_trial
from telephony.scenarios.models import LONGEST_STEP, MOST_STEPS

from .samples import sample_arguments
from .state import BenchState, Lost, place_of, read_state
from .tool_form import ToolForm, as_initial

DRAFT, PUBLISHED = "draft", "published"


@dataclass(slots=True)
class Bench:
    """One request to the bench of an agent."""

    request: HttpRequest
    agent: Agent
    version: AgentVersion | None
    state: BenchState = field(default_factory=BenchState)
    text: str = ""
    fault: str = ""
    tool: str = ""
    form: ToolForm | None = None

    @property
    def place(self) -> str:
        return place_of(self.agent.pk, self.version.pk if self.version else None, int(self.request.user.pk or 0))

    @property
    def tools(self) -> Sequence[str]:
        """Those of the agent that there are."""
        chosen = (self.version or self.agent).tools or ()
        return [name for name in EVERY_TOOL if name in chosen and name not in RECORDING_TOOLS]


@require_http_methods(["GET", "POST"])
def bench(request: HttpRequest, agent_id: int) -> HttpResponse:
    """GET begins anew; POST says something, runs a tool, or keeps the conversation as a scenario."""
    given = request.POST if request.method == "POST" else request.GET
    page = _open(request, agent_id, with_published=given.get("with") == PUBLISHED)
    page.tool = given.get("tool", "") if given.get("tool", "") in page.tools else next(iter(page.tools), "")
    if request.method == "POST":
        try:
            page.state = read_state(request.POST.get("state", ""), place=page.place)
        except Lost as exc:
            page.fault = str(exc)
        act = ACTS.get(request.POST.get("act", "say"))
        if act is not None and (response := act(page, request.POST)) is not None:
            return response
    return _shown(page)


def _open(request: HttpRequest, agent_id: int, *, with_published: bool) -> Bench:
    access = access_of(request)
    if not access.may(Area.AGENTS, Power.VIEW):
        raise PermissionDenied
    visible = Agent.objects.visible_to(access.principal(Area.AGENTS))
    agent = visible.select_related("organization", "published_version").filter(pk=agent_id).first()
    if agent is None:
        raise Http404("There is no such agent.")
    # Each sentence costs money at the AI provider.
    if not access.may(Area.AGENTS, Power.EDIT, agent.organization_id):
        raise PermissionDenied
    return Bench(request, agent, agent.published_version if with_published else None)


def _say(page: Bench, posted: Mapping[str, str]) -> HttpResponse | None:
    text = " ".join(posted.get("text", "").split())[:LONGEST_STEP]
    spoken = sum(entry.who is Who.CALLER for entry in page.state.talk)
    page.text = text
    if page.fault or not text:
        page.fault = page.fault or _("Write what the caller says.")
        return None
    if page.state.is_over or spoken >= MOST_STEPS:
        page.fault = _("This conversation is over. Start a new one.")
        return None
    try:
        with conversation(page.agent, page.version or page.agent, past=page.state.talk) as talk:
            talk.say(text)
    except NotAnswered as exc:
        page.fault = str(exc)
        return None
    made = made_as_json(talk.dry_run.made) if talk.dry_run.made.is_known else page.state.made_of_talk
    page.state, page.text = replace(page.state, talk=talk.entries, made_of_talk=made), ""
    return None


def _run_tool(page: Bench, posted: Mapping[str, str]) -> HttpResponse | None:
    if not page.tool:
        page.fault = _("The agent has no tools. Enable some on its page.")
        return None
    page.form = ToolForm(page.tool, posted)
    if not page.form.is_valid():
        return None
    dry_run = DryRun(page.agent, page.tools, caller_number=TEST_CALLER)
    dry_run.repeat([use_of(entry) for entry in page.state.tools])
    # Each is a turn of its own, so that an order that was read back can be submitted.
    use = dry_run.run(page.tool, json.dumps(page.form.arguments), caller_turns=len(page.state.tools) + 1)
    made = made_as_json(dry_run.made) if dry_run.made.is_known else page.state.made_of_tools
    page.state = replace(page.state, tools=[*page.state.tools, entry_of(use)], made_of_tools=made)
    return None


def _forget_tools(page: Bench, posted: Mapping[str, str]) -> HttpResponse | None:
    page.state = replace(page.state, tools=(), made_of_tools=None)
    return None


def _forget_talk(page: Bench, posted: Mapping[str, str]) -> HttpResponse | None:
    page.state = replace(page.state, talk=(), made_of_talk=None)
    return None


def _keep(page: Bench, posted: Mapping[str, str]) -> HttpResponse | None:
    """The conversation becomes a scenario that expects what came of it."""
    said = [entry.text for entry in page.state.talk if entry.who is Who.CALLER]
    if page.fault or not said:
        page.fault = page.fault or _("Say something first: a scenario has at least one step.")
        return None
    scenario = scenario_from_trial(page.agent, said, page.state.made_of_talk or {})
    messages.success(page.request, _("The scenario is made. Check what it expects, then run it."))
    return HttpResponseRedirect(reverse("admin:telephony_scenario_change", args=(scenario.pk,)))


ACTS = {"say": _say, "tool": _run_tool, "forget-tools": _forget_tools, "forget-talk": _forget_talk, "keep": _keep}


def _shown(page: Bench) -> HttpResponse:
    form = page.form
    if form is None and page.tool:
        form = ToolForm(page.tool, initial=as_initial(sample_arguments(page.agent.organization, page.tool)))
    context: dict[str, Any] = {
        **admin.site.each_context(page.request),
        "title": _("Test bench of %(agent)s") % {"agent": page.agent},
        "page": page,
        "agent": page.agent,
        "version": page.version,
        "signed": page.state.signed(place=page.place),
        "greeting": (page.version or page.agent).greeting,
        "longest": LONGEST_STEP,
        "form": form,
        "tools": [(name, TOOL_LABELS.get(name, name)) for name in page.tools],
    }
    return TemplateResponse(page.request, "admin/test_bench/page.html", context, status=422 if page.fault else 200)


@require_POST
def from_call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Makes a scenario of a call that the user sees, for an agent that the user may change."""
    access = access_of(request)
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).select_related("organization", "agent")
    call = calls.filter(pk=call_id).first()
    if call is None:
        raise Http404("There is no such call.")
    if not access.may(Area.AGENTS, Power.EDIT, call.organization_id):
        raise PermissionDenied
    try:
        scenario = scenario_from_call(call)
    except NoScenario as exc:
        messages.error(request, str(exc))
        return HttpResponseRedirect(reverse("admin:voice_sessions_call_change", args=(call.pk,)))
    messages.success(request, _("The scenario is made. Check what it expects, then run it."))
    return HttpResponseRedirect(reverse("admin:telephony_scenario_change", args=(scenario.pk,)))
