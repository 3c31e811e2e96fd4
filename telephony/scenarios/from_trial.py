"""A scenario made from a trial on the test bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from agents.configuration.models import Agent

from .from_call import saved
from .models import Scenario


def scenario_from_trial(agent: Agent, said: Sequence[str], made: Mapping[str, Any]) -> Scenario:
    """`made` as in `made_as_json`. It expects what came of the trial."""
    zone = agent.organization.zone
    scenario = Scenario(
        agent=agent,
        steps="\n".join(said),
        expected_order="\n".join(made.get("order", ())),
        expected_total=Decimal(made["total"]) if made.get("total") else None,
        # The date would be another one tomorrow.
        expected_appointments="\n".join(each.rpartition(" (")[0] for each in made.get("appointments", ())),
    )
    return saved(scenario, name=_("Trial of %(time)s") % {"time": f"{timezone.now().astimezone(zone):%Y-%m-%d %H:%M}"})
