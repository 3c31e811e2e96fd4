"""The step of the setup for organizations that book appointments: their services, and who and what does them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.db import transaction
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Service
from agents.organizations.models import Organization
from agents.resources.models import Resource, ResourceKind
from agents.tenant_admin.theme import Textarea

TIMED_LINE = re.compile(
    r"^(?P<name>.*?\S)[\s:,;–-]+(?P<length>\d{1,3}(?:[.,]\d{1,2})?)\s*(?P<unit>min(?:utes?|\.)?|h(?:ours?)?)"
    r"(?:[\s:,;–-]+(?P<price>\d{1,6}(?:[.,]\d{1,2})?)\s*(?:€|\$|£|[A-Z]{3})?)?$",
    re.IGNORECASE,
)
MOST_SERVICES, MOST_RESOURCES = 100, 50


@dataclass(frozen=True, slots=True)
class TimedService:
    """A line as it was read. `price` is None where it depends on the work."""

    name: str
    minutes: int
    price: Decimal | None


class ServicesForm(forms.Form):
    """One service per line; buffers, lead times and working hours are set on the pages of services and resources."""

    services = forms.CharField(
        label=_("Services with their duration"),
        widget=Textarea(attrs={"rows": 8, "placeholder": _("Oil change 45 min 89.90\nInspection 1.5 h")}),
        help_text=_("One service per line: the name, how long it takes, and the price if it is fixed."),
    )
    people = forms.CharField(
        label=_("Who does them"),
        required=False,
        widget=Textarea(attrs={"rows": 3, "placeholder": _("Anna\nBen")}),
        help_text=_("One person per line. Each does one appointment at a time."),
    )
    bays = forms.CharField(
        label=_("Bays or lifts"),
        required=False,
        widget=Textarea(attrs={"rows": 3, "placeholder": _("Lift 1")}),
        help_text=_("One per line. With bays, an appointment needs one; with people, it needs a person."),
    )

    def clean_services(self) -> list[TimedService]:
        return [_read(line) for line in _lines(self.cleaned_data["services"], MOST_SERVICES)]

    def clean_people(self) -> list[str]:
        return _names(self.cleaned_data["people"])

    def clean_bays(self) -> list[str]:
        return _names(self.cleaned_data["bays"])

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        people, bays = cleaned.get("people"), cleaned.get("bays")
        if people == [] and bays == []:
            self.add_error("people", gettext("Enter who does the services, or a bay: without either, no time is free."))
        if twice := {name.lower() for name in people or ()} & {name.lower() for name in bays or ()}:
            self.add_error("bays", gettext("“%(twice)s” is a person already.") % {"twice": min(twice)})
        return cleaned


@transaction.atomic
def save_services(organization: Organization, form: forms.Form) -> None:
    """Add what is new and update what has the same name; nothing is removed."""
    given = form.cleaned_data
    for position, line in enumerate(given["services"], start=organization.services.count()):
        needs = {"needs_staff": bool(given["people"]), "needs_bay": bool(given["bays"])}
        Service.objects.update_or_create(
            organization=organization,
            name=line.name,
            defaults={"duration_minutes": line.minutes, "price": line.price},
            create_defaults={"duration_minutes": line.minutes, "price": line.price, "position": position, **needs},
        )
    _keep_resources(organization, given["people"], ResourceKind.STAFF)
    _keep_resources(organization, given["bays"], ResourceKind.BAY)


def _keep_resources(organization: Organization, names: Collection[str], kind: ResourceKind) -> None:
    for position, name in enumerate(names, start=organization.resources.count()):
        Resource.objects.get_or_create(
            organization=organization, name=name, defaults={"kind": kind, "position": position}
        )


def what_is_booked(organization: Organization) -> str:
    """“3 services by Anna, Lift 1”; empty while nothing can be booked."""
    number = organization.services.filter(is_active=True).count()
    names = list(organization.resources.filter(is_active=True).values_list("name", flat=True))
    text = ngettext("%(number)s service by %(names)s", "%(number)s services by %(names)s", number)
    return text % {"number": number, "names": ", ".join(names)} if number and names else ""


def _lines(text: str, most: int) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > most:
        raise forms.ValidationError(gettext("Enter at most %(most)s lines at once.") % {"most": most})
    return lines


def _read(line: str) -> TimedService:
    found = TIMED_LINE.match(line)
    if found is None:
        raise forms.ValidationError(
            gettext("“%(line)s” does not say how long it takes. Write it like Oil change 45 min 89.90.")
            % {"line": line[:60]}
        )
    length = Decimal(found["length"].replace(",", "."))
    minutes = length if found["unit"].lower().startswith("m") else length * 60
    price = Decimal(found["price"].replace(",", ".")) if found["price"] else None
    service = Service(name=found["name"], duration_minutes=round(minutes), price=price)
    try:
        service.clean_fields(exclude=["organization"])
    except forms.ValidationError as exc:
        raise forms.ValidationError(
            gettext("“%(line)s”: %(messages)s") % {"line": line[:60], "messages": " ".join(exc.messages)}
        ) from exc
    return TimedService(service.name, service.duration_minutes, price)


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(_lines(text, MOST_RESOURCES)))
    if too_long := next((name for name in names if len(name) > 80), None):
        raise forms.ValidationError(
            gettext("“%(too_long)s…” has more than 80 characters.") % {"too_long": too_long[:60]}
        )
    return names
