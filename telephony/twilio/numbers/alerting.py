"""Numbers whose calls Twilio does not send here, for the alerts: as of the last check, without a request to Twilio."""

from __future__ import annotations

import datetime as dt

from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.models import AlertRule
from telephony.twilio.models import CarrierState, PhoneNumber
from voiceapp.core.phones.numbers import show_number

# The check runs every ten minutes. One that is older says nothing of today.
TRUE_FOR = dt.timedelta(hours=6)
WRONG = (CarrierState.DIFFERS, CarrierState.MISSING)


def find_numbers_elsewhere(rule: AlertRule, now: dt.datetime) -> list[Finding]:
    """One query; a finding for each active number that does not point here, or was not checked lately."""
    numbers = PhoneNumber.objects.filter(organization=rule.organization_id, is_active=True)
    return [_finding(number, now) for number in numbers.exclude(carrier_state=CarrierState.IN_STEP)]


def _finding(number: PhoneNumber, now: dt.datetime) -> Finding:
    checked_at = number.carrier_checked_at
    is_known = number.carrier_state in WRONG and checked_at is not None and checked_at > now - TRUE_FOR
    facts = {
        "number": number.number,
        "state": number.carrier_state,
        "difference": number.carrier_difference[:300],
    }
    verdict = Verdict.TRUE if is_known else Verdict.UNKNOWN
    since = checked_at or now
    return Finding(verdict, since, facts, subject=str(number.pk), subject_name=show_number(number.number))
