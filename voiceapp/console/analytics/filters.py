"""What the page's address asks for: a period, by what the figures are split, and whose they are."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MinValueValidator
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent
from agents.hours.local_time import country_of_page, read_by_country
from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions.analytics.results import CallResult
from telephony.twilio.models import PhoneNumber
from voiceapp.core.phones.numbers import show_number

from .date_range import MOST_DAYS, USUAL_DAYS, DateRange
from .places import Places
from .report import Question

BY = (
    ("day", _("Day")),
    ("hour", _("Hour")),
    ("number", _("Number")),
    ("version", _("Agent version")),
    ("outcome", _("Outcome")),
)
ANY = ("", _("All"))
NOT_LISTED = _("What the address asks for is not in the list any more, so it was left out. Choose again.")
FIRST_DAY = dt.date(2000, 1, 1)


class FiguresForm(forms.Form):
    """Every field may be left out. What is refused is named, and the page shows the usual period instead."""

    organization = forms.ChoiceField(required=False, label=_("Organization"))
    agent = forms.ChoiceField(required=False, label=_("Agent"))
    number = forms.ChoiceField(required=False, label=_("Phone number"))
    outcome = forms.ChoiceField(required=False, label=_("Outcome"), choices=(ANY, *CallResult.choices))
    by = forms.ChoiceField(required=False, choices=BY, widget=forms.HiddenInput)

    def __init__(self, asked: QueryDict, *, request: HttpRequest, principal: Principal, today: dt.date) -> None:
        self.today = today
        given: dict[str, Any] = {name: value for name, value in asked.dict().items() if value}
        usual = DateRange.until(today, days=USUAL_DAYS)
        if not given.get("to"):
            given = {"from": usual.first.isoformat(), "to": usual.last.isoformat()} | given
        super().__init__(given)
        for name, label in (("from", _("From")), ("to", _("To"))):  # one of them is no name in Python
            field = forms.DateField(
                required=False,
                label=label,
                widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
                validators=[
                    MinValueValidator(FIRST_DAY, gettext("Choose days from %(year)s on.") % {"year": FIRST_DAY.year})
                ],
            )
            read_by_country(field, country_of_page(request))
            self.fields[name] = field
        self._choose("organization", _organizations(principal))
        self._choose("agent", _agents(principal))
        self._choose("number", _numbers(principal))
        for name in ("organization", "agent", "number", "outcome", "by"):
            self.fields[name].error_messages["invalid_choice"] = NOT_LISTED
        self.order_fields(("from", "to", "organization", "agent", "number", "outcome", "by"))
        for each in self.fields.values():
            each.widget.attrs["class"] = "va-input"

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """One that needs no choosing is left out."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [ANY, *choices]
        if len(choices) < 2:
            field.widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        period = self._asked_period(super().clean() or {})
        if period.first > period.last:
            self.add_error("from", gettext("This day is after the last one. Exchange the two."))
        elif period.days > MOST_DAYS:
            self.add_error("from", gettext("Choose at most %(most_days)s days.") % {"most_days": MOST_DAYS})
        return self.cleaned_data

    def _asked_period(self, values: dict[str, Any]) -> DateRange:
        last = min(values.get("to") or self.today, self.today)
        return DateRange(values.get("from") or last - dt.timedelta(days=USUAL_DAYS - 1), last)

    @property
    def refusals(self) -> list[str]:
        """Of fields that are not shown."""
        hidden = (name for name in self.errors if self[name].is_hidden)
        return [f"{self[name].label}: {error}" for name in hidden for error in self.errors[name]]

    def question(self) -> Question:
        self.is_valid()
        values = self.cleaned_data
        period = self._asked_period(values)
        if "from" in self.errors or "to" in self.errors:
            period = DateRange.until(self.today, days=USUAL_DAYS)
        return Question(
            period=period,
            by=values.get("by") or "day",
            organization_id=UUID(values["organization"]) if values.get("organization") else None,
            agent_id=int(values["agent"]) if values.get("agent") else None,
            number=values.get("number") or None,
            outcome=values.get("outcome") or None,
        )


def make_form(request: HttpRequest, principal: Principal, places: Places) -> FiguresForm:
    return FiguresForm(request.GET, request=request, principal=principal, today=places.last_today)


def _organizations(principal: Principal) -> list[tuple[str, str]]:
    rows = Organization.objects.visible_to(principal).order_by("name").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]


def _agents(principal: Principal) -> list[tuple[str, str]]:
    rows = Agent.objects.visible_to(principal).order_by("name", "pk").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]


def _numbers(principal: Principal) -> list[tuple[str, str]]:
    rows = PhoneNumber.objects.visible_to(principal).order_by("number").values_list("number", "label")
    return [(number, f"{show_number(number)} {label}".strip()) for number, label in rows]
