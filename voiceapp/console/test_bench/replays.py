"""Replays of a call under `/admin/bench/call/<call>/replays/`: choose a version, and see what differs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from agents.configuration.models import AgentVersion
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from sessions.calls.models import Call
from telephony.replays.comparison import Figures, figures_of_call, table
from telephony.replays.models import ReplayRun
from telephony.replays.services import NoReplay, start_replay, why_no_replay
from telephony.scenarios.conversation import Entry, Who

DRAFT = "draft"
MOST_VERSIONS = 50
COLORS = {ReplayRun.Outcome.SAME: "success", ReplayRun.Outcome.DIFFERENT: "danger", ReplayRun.Outcome.BROKEN: "warning"}


@require_http_methods(["GET", "POST"])
def replays(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """GET shows the newest replay, or the one of `?run=`; POST starts one."""
    call = _call(request, call_id)
    versions = list(AgentVersion.objects.filter(agent=call.agent_id).order_by("-number")[:MOST_VERSIONS])
    if request.method == "POST":
        return _started(request, call, versions)
    runs = list(ReplayRun.objects.filter(call=call).select_related("version").defer("lines"))
    wanted = request.GET.get("run", "")
    shown = next((run for run in runs if str(run.pk) == wanted), runs[0] if runs else None)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Replays of a call"),
        "call": call,
        "versions": versions,
        "obstacle": why_no_replay(call),
        "shown": shown,
        "color": COLORS.get(ReplayRun.Outcome(shown.outcome)) if shown and shown.outcome else "info",
        "compared": _compared(call, shown),
        "entries": [Entry(Who(each["speaker"]), each["text"]) for each in shown.lines] if shown else (),
        "earlier": [run for run in runs if run is not shown],
        "is_running": any(run.is_running for run in runs),
    }
    return TemplateResponse(request, "admin/test_bench/replays.html", context)


def _call(request: HttpRequest, call_id: UUID) -> Call:
    access = access_of(request)
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).select_related("organization", "agent")
    call = calls.filter(pk=call_id).first()
    if call is None:
        raise Http404("There is no such call.")
    # A replay costs what a call costs, and shows what was said.
    if not access.may(Area.AGENTS, Power.EDIT, call.organization_id):
        raise PermissionDenied
    return call


def _started(request: HttpRequest, call: Call, versions: list[AgentVersion]) -> HttpResponse:
    chosen = request.POST.get("against", "")
    version = next((each for each in versions if str(each.number) == chosen), None)
    try:
        if version is None and chosen != DRAFT:
            raise NoReplay(_("This version is no longer there. Choose another one."))
        _run, is_new = start_replay(call, version, by=request.user.get_username())
    except NoReplay as exc:
        messages.error(request, str(exc))
    else:
        if not is_new:
            messages.warning(request, _("A replay of this call is running already. Start the next one after it."))
    return HttpResponseRedirect(reverse("call-replays", args=(call.pk,)))


def _compared(call: Call, run: ReplayRun | None) -> list[Any]:
    return table(Figures.of_json(run.figures), figures_of_call(call)) if run is not None and run.figures else []
