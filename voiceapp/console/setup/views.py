"""The pages of the setup, under `/admin/setup/`: the steps, then the checklist with “Publish”, then the first call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from agents.configuration.admin.checklist import checklist_of
from agents.configuration.readiness import blockers
from agents.configuration.services import publish_agent
from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from sessions.calls.admin.display import reason_and_advice
from sessions.calls.models import Call
from telephony.twilio.numbers.comparison import webhook_url

from .forms import BusinessForm
from .steps import STEPS, Step, agent_of, make_organization, steps_of

# Setting up a phone line writes all of these.
AREAS = (Area.ORGANIZATION, Area.MENU, Area.NUMBERS, Area.AGENTS)
PUBLISH, CALL = "publish", "call"
MOST_CALLS = 5


def address(organization: Organization, step: str) -> str:
    return reverse("setup-step", args=(organization.pk, step))


def begin(request: HttpRequest) -> HttpResponse:
    """A new organization; those who may not make one choose which of theirs to set up."""
    access = access_of(request)
    if not access.sees_all:
        return _choose(request)
    form = BusinessForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        organization = make_organization(form)
        return HttpResponseRedirect(address(organization, STEPS[1].name))
    return _page(request, None, STEPS[0].name, {"form": form, "step": STEPS[0]})


def step(request: HttpRequest, organization_id: UUID, name: str) -> HttpResponse:
    """One step of an organization that the user runs; to others it does not exist."""
    organization = _organization(request, organization_id)
    if name == PUBLISH:
        return _publish(request, organization)
    if name == CALL:
        return _first_call(request, organization)
    found = next((each for each in steps_of(organization) if each.name == name), None)
    if found is None:
        raise Http404("There is no such step.")
    if found.is_finer(organization):
        context = {"step": found, "done": found.done(organization), "next": _after(organization, found)}
        return _page(request, organization, name, context)
    form = found.make(organization, request.POST or None)
    if request.method == "POST" and form.is_valid():
        found.save(organization, form)
        return HttpResponseRedirect(address(organization, _after(organization, found)))
    context = {"form": form, "step": found, "done": found.done(organization), "next": _after(organization, found)}
    return _page(request, organization, name, context)


def _choose(request: HttpRequest) -> HttpResponse:
    mine = [pk for pk in access_of(request).organizations(Area.AGENTS, Power.EDIT) if _may(request, pk)]
    if len(mine) == 1:
        return HttpResponseRedirect(reverse("setup-step", args=(mine[0], STEPS[0].name)))
    if not mine:
        raise PermissionDenied
    rows = Organization.objects.filter(pk__in=mine)
    choices = [(row.name, address(row, STEPS[0].name)) for row in rows]
    context = {**admin.site.each_context(request), "title": gettext("Set up a phone line"), "choices": choices}
    return TemplateResponse(request, "admin/choose_organization.html", context)


def _organization(request: HttpRequest, organization_id: UUID) -> Organization:
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None or not _may(request, organization_id):
        raise Http404("There is no such organization.")
    return organization


def _may(request: HttpRequest, organization_id: UUID) -> bool:
    return all(access_of(request).may(area, Power.EDIT, organization_id) for area in AREAS)


def _after(organization: Organization, found: Step) -> str:
    names = [each.name for each in steps_of(organization)]
    return [*names, PUBLISH][names.index(found.name) + 1]


def _publish(request: HttpRequest, organization: Organization) -> HttpResponse:
    agent = agent_of(organization)
    if agent is None:
        return HttpResponseRedirect(address(organization, STEPS[-1].name))
    against = blockers(agent)
    if request.method == "POST":
        if not against or "anyway" in request.POST:
            version = publish_agent(agent, by=request.user.get_username(), note="Setup")
            messages.success(
                request,
                gettext("Version %(number)s of %(agent)s is published and live.")
                % {"number": version.number, "agent": agent},
            )
            return HttpResponseRedirect(address(organization, CALL))
        messages.error(
            request,
            gettext("The agent is not published. %(against)s Fix this, or select “Publish anyway”.")
            % {"against": " ".join(against)},
        )
    context = {"checklist": checklist_of(agent), "blockers": against, "agent": agent}
    return _page(request, organization, PUBLISH, context)


def _first_call(request: HttpRequest, organization: Organization) -> HttpResponse:
    calls = [
        (call, reason_and_advice(call.end_reason)) for call in
        Call.objects.filter(organization=organization).order_by("-created_at")[:MOST_CALLS]
    ]  # fmt: skip
    agent, number = agent_of(organization), organization.phone_numbers.filter(is_active=True).first()
    context = {
        "agent": agent,
        "number": number,
        "webhook": webhook_url(number) if number else "",
        "calls": calls,
        "answered": next((call for call, _ in calls if call.connected_at), None),
        "is_simulated": "twilio" in settings.SIMULATORS,
    }
    return _page(request, organization, CALL, context)


def _page(
    request: HttpRequest, organization: Organization | None, current: str, context: dict[str, Any]
) -> HttpResponse:
    titles = [
        *((each.name, each.title) for each in steps_of(organization)),
        (PUBLISH, gettext("Check and publish")),
        (CALL, gettext("First call")),
    ]
    form = context.get("form")
    shown = {
        **admin.site.each_context(request),
        "title": gettext("Set up %(organization)s") % {"organization": organization.name}
        if organization
        else gettext("Set up a new organization"),
        "organization": organization,
        "current": current,
        "steps": [
            {
                "name": name,
                "title": title,
                "url": address(organization, name) if organization else "",
                "is_done": bool(organization and _is_done(organization, name)),
            }
            for name, title in titles
        ],
        "media": form.media if isinstance(form, forms.BaseForm) else "",
        **context,
    }
    return TemplateResponse(request, "admin/setup/page.html", shown)


def _is_done(organization: Organization, name: str) -> bool:
    agent = agent_of(organization)
    if name == PUBLISH:
        return agent is not None and agent.published_version_id is not None
    if name == CALL:
        return Call.objects.filter(organization=organization, connected_at__isnull=False).exists()
    return bool(next(each for each in STEPS if each.name == name).done(organization))
