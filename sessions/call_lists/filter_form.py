"""The filters of a list of calls: read the same from the list's address, a saved view, a command and the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.configuration.models import Agent
from agents.hours.local_time import read_by_country, when
from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.tenant_admin.theme import Select, TextInput
from sessions.alerts.models import Alert
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import CallKind, CallState, Direction
from sessions.calls.topics import CallTopic
from voiceapp.core.phones.search import FEWEST_DIGITS, split_search

from .outcomes import CallOutcome
from .periods import Period

Choices = Iterable[tuple[str, StrOrPromise]]
LARGEST_ID = 2**31 - 1
LONGEST_TURN_S = 600
MOST_AGENTS = 500
FIRST_YEAR, LAST_YEAR = 2000, 2200


def _choice(label: StrOrPromise, choices: Choices = ()) -> forms.ChoiceField:
    refused = {"invalid_choice": _("Choose one of the list.")}
    return forms.ChoiceField(
        label=label,
        choices=[("", _("All")), *((value, _(str(name))) for value, name in choices)],
        required=False,
        widget=Select,
        error_messages=refused,
    )


def _number(label: StrOrPromise, *, largest: int, digits: int = 0) -> Any:
    kind, step = (forms.DecimalField, "any") if digits else (forms.IntegerField, "1")
    limits: dict[str, Any] = {"decimal_places": digits, "max_digits": digits + 6} if digits else {}
    widget = TextInput(attrs={"type": "number", "step": step, "min": 0, "max": largest})
    refused = {"invalid": _("Enter a number.")}
    return kind(
        label=label, required=False, min_value=0, max_value=largest, widget=widget, error_messages=refused, **limits
    )


def _date(label: StrOrPromise) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=TextInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Write the date like 2026-12-24.")},
        validators=[_is_in_range],
    )


def _is_in_range(day: dt.date) -> None:
    """Beyond are days that no zone can compute, and no call."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise forms.ValidationError(
            _("Choose a day from %(first_year)s to %(last_year)s.") % {"first_year": FIRST_YEAR, "last_year": LAST_YEAR}
        )


class CallFilterForm(forms.Form):
    """`principal` chooses among the agents and organizations that it sees. What is empty does not filter."""

    organization = _choice(_("Organization"))
    alert = _choice(_("Alert"))
    agent = _choice(_("Agent"))
    version = _number(_("Agent version"), largest=LARGEST_ID)
    number = forms.CharField(
        label=_("Number of the caller, or dialed"), max_length=40, required=False, widget=TextInput
    )
    direction = _choice(_("Direction"), Direction.choices)
    kind = _choice(_("Type"), CallKind.choices)
    period = _choice(_("Period"), Period.choices)
    since = _date(_("From day"))
    until = _date(_("To day, included"))
    state = _choice(_("State"), CallState.choices)
    outcome = _choice(_("Outcome"), CallOutcome.choices)
    topic = _choice(_("Topic"), CallTopic.choices)
    reason = _choice(_("End reason"), [(each.value, _(each.label)) for each in EndReason])
    cost_from = _number(_("Cost (USD), from"), largest=100_000, digits=6)
    cost_to = _number(_("Cost (USD), to"), largest=100_000, digits=6)
    slowest_from = _number(_("Slowest response (s), from"), largest=LONGEST_TURN_S, digits=3)
    slowest_to = _number(_("Slowest response (s), to"), largest=LONGEST_TURN_S, digits=3)
    interruptions_from = _number(_("Interruptions, from"), largest=10_000)
    interruptions_to = _number(_("Interruptions, to"), largest=10_000)

    RANGES: ClassVar[Mapping[str, str]] = {
        "since": "until",
        "cost_from": "cost_to",
        "slowest_from": "slowest_to",
        "interruptions_from": "interruptions_to",
    }

    def __init__(self, data: Mapping[str, str], *, principal: Principal, country: str = "") -> None:
        super().__init__({name: value for name, value in data.items() if name in self.base_fields}, auto_id="filter_%s")
        # A filter's wording in other words would be read twice.
        self.label_suffix = ""
        agents = Agent.objects.visible_to(principal).order_by("name")[:MOST_AGENTS]
        _offer(self.fields["agent"], [(str(each.pk), each.name) for each in agents])
        self._offer_alert(data.get("alert", ""), principal)
        sees_several = principal.sees_all or len(principal.organization_ids) > 1
        places = _places(principal) if sees_several else []
        if len(places) > 1:
            _offer(self.fields["organization"], places)
        else:
            del self.fields["organization"]
        for name in ("since", "until"):
            read_by_country(self.fields[name], country)

    def _offer_alert(self, wanted: str, principal: Principal) -> None:
        """Only the one that the list is about: nobody looks for an alert here."""
        if not wanted:
            del self.fields["alert"]
            return
        alerts = Alert.objects.visible_to(principal).filter(pk__in=_ids(wanted))
        _offer(self.fields["alert"], [(str(each.pk), f"{each}, {when(each.opened_at)}") for each in alerts])

    def clean_number(self) -> str:
        typed = str(self.cleaned_data["number"]).strip()
        if typed and not split_search(typed)[0]:
            raise forms.ValidationError(
                gettext("Enter at least %(fewest_digits)s digits of the number.") % {"fewest_digits": FEWEST_DIGITS}
            )
        return typed

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for first, last in self.RANGES.items():
            if _is_after(cleaned.get(first), cleaned.get(last)):
                self.add_error(last, gettext("This is before the beginning: swap the two."))
                cleaned.pop(first)
        return cleaned

    @property
    def wanted(self) -> dict[str, Any]:
        """What filters, by field; what was refused is not in it."""
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def refusals(self) -> list[str]:
        """“Cost (USD), from: Enter a number.”"""
        return [f"{self.fields[name].label}: {errors[0]}" for name, errors in self.errors.items()]


def _ids(typed: str) -> list[UUID]:
    """The ID that was typed, if it is one."""
    try:
        return [UUID(typed)]
    except ValueError:
        return []


def _offer(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = [("", gettext("All")), *choices]


def _places(principal: Principal) -> list[tuple[str, str]]:
    seen = Organization.objects.visible_to(principal).order_by("name")
    return [(str(pk), name) for pk, name in seen.values_list("pk", "name")[:MOST_AGENTS]]


def _is_after(first: Any, last: Any) -> bool:
    if first is None or last is None:
        return False
    assert isinstance(first, dt.date) == isinstance(last, dt.date)
    return bool(first > last)
