"""Makes the demo organization of a throw-away database answer many callers at any hour; prints its id and number.

Usage, in the environment of the product: python scripts/bench/open_line.py CALLS
"""

from __future__ import annotations

import json
import sys

import django
from django.core.management import call_command


def open_line(calls: int) -> dict[str, str]:
    django.setup()
    from agents.configuration.models import AgentVersion
    from telephony.twilio.models import PhoneNumber

    call_command("seed_demo", stdout=sys.stderr)
    AgentVersion.objects.update(recording="off")  # a round of its own measures that
    line = PhoneNumber.objects.select_related("organization").order_by("pk")[0]
    organization = line.organization
    organization.opening_hours.all().delete()
    organization.special_days.all().delete()
    organization.max_live_calls = calls
    organization.save()
    return {"org_id": str(organization.id), "dialed": line.number}


if __name__ == "__main__":
    print(json.dumps(open_line(int(sys.argv[1]))))
