"""Why visitors cannot call on a page that is open to them: a price that is not known, or a budget that is too small."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from agents.call_page.models import CallPage
from sessions.realtime.services.instructions import default_persona
from sessions.visitors.queries import charged_usd
from sessions.visitors.services import limit_of, model_of


def problem_of(page: CallPage) -> tuple[str, str] | None:
    """What stands in the way, and what to do. An agent that is not published has a notice of its own."""
    organization = page.organization
    name = {"organization": organization}
    persona = default_persona(organization.pk)
    if persona is None:
        return None
    limit = limit_of(page, persona)
    if limit is None:
        model = model_of(persona) or "VAPI"
        return (
            _("Visitors cannot call %(organization)s: no price is known for %(model)s")
            % {"organization": organization, "model": model},
            _("Choose a model with a known price on the agent's page and publish it."),
        )
    most = Decimal(str(limit.most_usd))
    if most > page.daily_budget_usd:
        return (
            _("Visitors cannot call %(organization)s: the daily budget pays for no call")
            % {"organization": organization},
            _("A call may cost %(most)s USD. Raise the budget, or shorten the longest call.") % {"most": f"{most:.2f}"},
        )
    today = timezone.now().astimezone(organization.zone).date()
    if charged_usd(organization, today) + most > page.daily_budget_usd:
        return (
            _("Today's budget of visitors' calls to %(organization)s is used up") % name,
            _("Raise it, or wait for midnight."),
        )
    return None
