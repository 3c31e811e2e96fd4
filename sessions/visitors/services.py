"""Whether a visitor's call may begin: what it may cost at most is reserved first, of the organization's day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.call_page.models import CallPage
from agents.configuration.models import AgentVersion, Persona
from sessions.calls.models import LIVE_STATES, Call
from sessions.calls.spending import SpendingLimit
from voiceapp.core.batches import delete_in_batches
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import serialize

from .models import VisitorCall
from .queries import calls_at_once, charged_usd, spending_limit_of

# Its day's budget, its token and its call are long over by then.
KEPT_FOR = dt.timedelta(days=7)


class NoPlace(ApplicationError):
    """As many visitors as may are calling."""


class BudgetUsed(ApplicationError):
    """What is left of the day does not pay for the most that a call may cost. `until`: the organization's midnight."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__()
        self.until = until


class NotPriced(ApplicationError):
    """No price is known for what the agent speaks with, so that nothing can be reserved."""


class TokenUsed(ApplicationError):
    """The visitor's token has begun a call."""


def reserve_call(page: CallPage, persona: AgentVersion, *, token_id: str) -> VisitorCall:
    """Reserve the most that a call may cost. Raises NoPlace, BudgetUsed, NotPriced and TokenUsed.

    Exact however many begin at once: those of one organization take turns.
    """
    limit = limit_of(page, persona)
    if limit is None:
        raise NotPriced
    amount, local_now = Decimal(str(limit.most_usd)), timezone.now().astimezone(page.organization.zone)
    with transaction.atomic():
        serialize(f"sessions.visitors:{page.organization_id}")
        if VisitorCall.objects.filter(token_id=token_id).exists():
            raise TokenUsed
        if calls_at_once(page.organization) >= page.calls_at_once:
            raise NoPlace
        if charged_usd(page.organization, local_now.date()) + amount > page.daily_budget_usd:
            raise BudgetUsed(next_midnight(local_now))
        return VisitorCall.objects.create(
            organization=page.organization,
            token_id=token_id,
            day=local_now.date(),
            model=limit.model,
            longest_call_minutes=longest_minutes(page, persona),
            reserved_usd=amount,
        )


def limit_of(page: CallPage, persona: Persona) -> SpendingLimit | None:
    """The most that a visitor's call may cost now; None if no price is known for what the agent speaks with."""
    model, minutes = model_of(persona), longest_minutes(page, persona)
    return spending_limit_of(model, minutes=minutes, on=timezone.now().date()) if model else None


def longest_minutes(page: CallPage, persona: Persona) -> int:
    return min(page.longest_call_minutes, persona.longest_call_minutes)


def model_of(persona: Persona) -> str:
    """What the agent speaks with; empty for a VAPI assistant, which has prices of its own."""
    return (persona.model or settings.OPENAI_REALTIME_MODEL) if persona.provider == Persona.Provider.OPENAI else ""


def next_midnight(local_now: dt.datetime) -> dt.datetime:
    """When the next day begins there."""
    return dt.datetime.combine(local_now.date() + dt.timedelta(days=1), dt.time(), tzinfo=local_now.tzinfo)


def belongs_to(reservation: VisitorCall, call: Call) -> None:
    """From now on it counts as what the call may cost, or has cost."""
    VisitorCall.objects.filter(pk=reservation.pk).update(call=call)


def release(reservation: VisitorCall) -> None:
    """No call was made of it: it is given back, and the token may try again."""
    VisitorCall.objects.filter(pk=reservation.pk, call=None).delete()


def purge_visitor_calls() -> int:
    """Delete what is of no budget any more; how many rows there were. The calls themselves stay."""
    old = VisitorCall.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    return delete_in_batches(old.exclude(call__state__in=LIVE_STATES))
