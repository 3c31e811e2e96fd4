"""Which numbers a transfer may call: ordinary ones of the organization's countries, and none that leads back to us."""

from __future__ import annotations

import enum

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from voiceapp.core.phones.numbers import country_codes, is_dialable


class NotCalled(enum.StrEnum):
    """Why a number is not called."""

    NOT_DIALABLE = "not_dialable"
    OUR_OWN = "our_own"
    FOREIGN = "foreign"
    NO_COUNTRY = "no_country"
    THE_CALLERS = "the_callers"


MESSAGES = {
    NotCalled.OUR_OWN: _("This number is answered by an agent: a transferred call would come back. Use another one."),
    NotCalled.NO_COUNTRY: _("Enter the organization's country first: only numbers of its country are called."),
    NotCalled.FOREIGN: _("This number is in another country. Calls abroad must be allowed with TRANSFER_COUNTRIES."),
}


def check_target_number(number: str, organization: Organization) -> None:
    """Raises ValidationError for an ordinary number that may not be called. The field checks what is ordinary."""
    why = why_not_called(number, organization)
    if why in MESSAGES:
        raise ValidationError({"number": MESSAGES[why]})


def why_not_called(number: str, organization: Organization, *, caller: str = "") -> NotCalled | None:
    """None if a transfer of this organization's calls may call the number."""
    if not is_dialable(number):
        return NotCalled.NOT_DIALABLE
    if number == caller:
        return NotCalled.THE_CALLERS
    if Organization.objects.filter(phone_numbers__number=number).exists():
        return NotCalled.OUR_OWN
    allowed = _countries(organization)
    if not allowed:
        return NotCalled.NO_COUNTRY
    return None if allowed & country_codes(number) else NotCalled.FOREIGN


def _countries(organization: Organization) -> set[str]:
    """The organization's own, those of its numbers, and those of the installation; empty if nothing names one."""
    own = Organization.objects.filter(pk=organization.pk).values_list("phone_numbers__number", flat=True)
    countries = {code for number in own if number for code in country_codes(number)}
    if organization.region:
        countries |= {organization.region, _calling_code(organization.region)}
    return countries | set(settings.TRANSFER_COUNTRIES) | {_calling_code(each) for each in settings.TRANSFER_COUNTRIES}


def _calling_code(region: str) -> str:
    return f"+{phonenumbers.country_code_for_region(region)}"
