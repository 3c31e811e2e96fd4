"""Everything that an organization keeps of one caller, found by the caller's number."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.calls.models import Call, Direction, TranscriptLine
from sessions.messages.texts.models import OptOut, Text
from sessions.orders.models import CallerNotRemembered, Order

# How carriers write a number into what a call or a text comes from (voiceapp/core/phones/numbers.py, read_caller).
SCHEMES = ("", "whatsapp:")
SIP = ("sip:", "sips:")
KINDS = ("calls", "transcript lines", "recordings", "voicemail messages", "texts", "orders", "appointments", "opt-outs")


@dataclass(frozen=True, slots=True)
class CallerData:
    """Of the caller with that number (E.164)."""

    organization: Organization
    number: str

    @property
    def calls(self) -> QuerySet[Call]:
        """By phone and in rooms, in either direction."""
        ours = Call.objects.filter(organization=self.organization)
        found = _is("caller_number", self.number) | Q(callee=self.number)
        found |= Q(direction=Direction.OUTBOUND) & _is("dialed_number", self.number)
        in_rooms = ours.filter(participants__identity__contains=self.number).values("pk")
        return ours.filter(found | Q(pk__in=in_rooms))

    @property
    def texts(self) -> QuerySet[Text]:
        of_calls = Q(call__in=self.calls.values("pk"))
        return Text.objects.filter(_is("number", self.number) | of_calls, organization=self.organization)

    @property
    def orders(self) -> QuerySet[Order]:
        of_calls = Q(call__in=self.calls.values("pk"))
        return Order.objects.filter(_is("customer_number", self.number) | of_calls, organization=self.organization)

    @property
    def appointments(self) -> QuerySet[Appointment]:
        of_calls = Q(call__in=self.calls.values("pk"))
        found = _is("customer_number", self.number) | of_calls
        return Appointment.objects.filter(found, organization=self.organization)

    @property
    def opt_outs(self) -> QuerySet[OptOut]:
        return OptOut.objects.filter(organization=self.organization, number=self.number)

    @property
    def not_remembered(self) -> QuerySet[CallerNotRemembered]:
        return CallerNotRemembered.objects.filter(organization=self.organization, number=self.number)

    def counts(self) -> dict[str, int]:
        """Of what there is, by kind, in the words that people read."""
        lines = TranscriptLine.objects.filter(call__in=self.calls.values("pk"))
        counted = {
            "calls": self.calls.count(),
            "transcript lines": lines.count(),
            "recordings": self.calls.filter(recordings__isnull=False).values("recordings").count(),
            "voicemail messages": self.calls.filter(voicemails__isnull=False).values("voicemails").count(),
            "texts": self.texts.count(),
            "orders": self.orders.count(),
            "appointments": self.appointments.count(),
            "opt-outs": self.opt_outs.count() + self.not_remembered.count(),
        }
        return {kind: number for kind, number in counted.items() if number}


def _is(field: str, number: str) -> Q:
    found = Q(**{f"{field}__in": [f"{scheme}{number}" for scheme in SCHEMES]})
    for scheme in SIP:
        found |= Q(**{f"{field}__startswith": f"{scheme}{number}@"})
    return found


def counts_text(counts: dict[str, int]) -> str:
    """“2 calls, 14 transcript lines”. PostgreSQL keeps JSON in an order of its own."""
    found = [(counts[kind], kind) for kind in KINDS if counts.get(kind)]
    return ", ".join(f"{number} {kind if number != 1 else kind.removesuffix('s')}" for number, kind in found)
