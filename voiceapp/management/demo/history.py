"""Past calls of the demo organization, the same ones each time, so that lists and pages have something to show."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from random import Random

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from agents.catalog.models import Item, Modifier, Size
from agents.configuration.models import Agent
from agents.organizations.models import Organization
from sessions.analytics.services import rebuild
from sessions.calls.costs import add_usage, cost_of
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.models import WebhookAttempt
from sessions.messages.endpoints.services.announcing import TOPIC, utc_ms
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order, OrderLine, OrderModifier, OrderState
from sessions.orders.pricing import totals_of
from sessions.orders.services.drafts import tax_rule
from telephony.twilio.models import MediaStream

from .conversation import Conversation, Wish

NAMES = ("Anna", "Ben", "Carla", "Deniz", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "")
UNANSWERED = (
    (EndReason.LINE_FULL, CallState.MISSED),
    (EndReason.CALLER_HUNG_UP, CallState.MISSED),
    (EndReason.CLOSED_HOURS, CallState.MISSED),
    (EndReason.STREAM_LOST, CallState.FAILED),
    (EndReason.PROVIDER_FAILED, CallState.FAILED),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What every made-up call refers to."""

    organization: Organization
    agent: Agent
    number: str
    items: tuple[Item, ...]


def make_history(organization: Organization, agent: Agent, number: str, *, calls: int) -> int:
    """Add what is missing up to that many past calls; how many were added."""
    items = Item.objects.filter(category__menu__organization=organization, is_out=False)
    place = Place(organization, agent, number, tuple(items.prefetch_related("sizes", "modifier_groups__modifiers")))
    known = set(Call.objects.filter(organization=organization).values_list("carrier_sid", flat=True))
    added = 0
    # The oldest first: orders are numbered as they come.
    for index in reversed(range(calls)):
        if carrier_sid(organization, index) not in known:
            with transaction.atomic():
                make_call(place, index)
            added += 1
    if added:
        for _ in rebuild(organization):  # written without the services that note what changes
            pass
    return added


def carrier_sid(organization: Organization, index: int) -> str:
    """The same name for the same call, so that a second run finds it."""
    return "CA" + hashlib.md5(f"{organization.slug} {index}".encode(), usedforsecurity=False).hexdigest()


def make_call(place: Place, index: int) -> None:
    """Busy in the evening, about eight calls a day backwards from now."""
    chance = Random(f"{place.organization.slug} {index}")
    started_at = timezone.now() - dt.timedelta(hours=index * 3 + chance.random() * 2, minutes=chance.randint(1, 50))
    call = Call.objects.create(
        organization=place.organization,
        agent=place.agent,
        agent_version=place.agent.published_version,
        carrier_sid=carrier_sid(place.organization, index),
        caller_number=f"+4930231255{chance.randint(10, 99)}",
        dialed_number=place.number,
    )
    if index % 8 == 5:
        unanswered_call(call, started_at, chance)
    else:
        Spoken(place, call, started_at, chance).make(wants_order=index % 6 != 3)


def unanswered_call(call: Call, started_at: dt.datetime, chance: Random) -> None:
    reason, state = chance.choice(UNANSWERED)
    ended_at = started_at + dt.timedelta(seconds=chance.randint(1, 9))
    connected_at = started_at + dt.timedelta(seconds=1) if state == CallState.FAILED else None
    Call.objects.filter(pk=call.pk).update(
        created_at=started_at, connected_at=connected_at, ended_at=ended_at, state=state, end_reason=reason
    )
    CallEvent.objects.create(call=call, kind="ringing", at=started_at)
    CallEvent.objects.create(call=call, kind="ended", at=ended_at, detail={"reason": str(reason)})


class Spoken:
    """One call that was answered."""

    def __init__(self, place: Place, call: Call, started_at: dt.datetime, chance: Random) -> None:
        self.place = place
        self.call = call
        self.started_at = started_at
        self.connected_at = started_at + dt.timedelta(milliseconds=700)
        self.chance = chance
        self.talk = Conversation(call, self.connected_at, chance, currency=place.organization.currency)

    def make(self, *, wants_order: bool) -> None:
        self.note("ringing", self.started_at)
        self.note("connected", self.connected_at)
        self.talk.greet(greeting_of(self.place))
        order = self.order() if wants_order else None
        if order is None:
            self.talk.ask_for_hours()
        reason = EndReason.AGENT_HUNG_UP if self.chance.random() < 0.8 else EndReason.CALLER_HUNG_UP
        ended_at = self.connected_at + dt.timedelta(milliseconds=self.talk.now_ms + 900)
        self.note("ended", ended_at, reason=str(reason))
        self.talk.save()
        self.close(reason, ended_at)

    def close(self, reason: EndReason, ended_at: dt.datetime) -> None:
        usage = usage_of(self.talk.now_ms)
        Call.objects.filter(pk=self.call.pk).update(
            created_at=self.started_at,
            connected_at=self.connected_at,
            ended_at=ended_at,
            state=CallState.COMPLETED,
            end_reason=reason,
            interruptions=self.talk.interruptions,
            slowest_response_ms=self.talk.slowest_ms,
            usage=usage,
            cost_usd=cost_of(usage, ended_at.date()),
        )
        stream = MediaStream.objects.create(
            call=self.call,
            account_sid="AC" + "0" * 32,
            stream_sid="MZ" + (self.call.carrier_sid or "")[2:],
            expires_at=self.started_at + dt.timedelta(minutes=1),
            used_at=self.connected_at,
            ended_at=ended_at,
            follow_up="hang_up",
        )
        MediaStream.objects.filter(pk=stream.pk).update(created_at=self.started_at)

    def note(self, kind: str, at: dt.datetime, **detail: str) -> None:
        CallEvent.objects.create(call=self.call, kind=kind, at=at, detail=detail)

    def order(self) -> Order:
        wishes = [self.wish(item) for item in self.chance.sample(self.place.items, self.chance.randint(1, 3))]
        self.talk.take_order(wishes)
        self.talk.read_back()
        order = self.write(wishes)
        self.talk.submit(order.number, order.total, order.customer_name)
        self.note("order_submitted", order.created_at, number=str(order.number), total=str(order.total))
        return order

    def wish(self, item: Item) -> Wish:
        sizes = list(item.sizes.all())
        size: Size | None = self.chance.choice(sizes) if sizes else None
        picks: list[tuple[str, Modifier]] = []
        for group in item.modifier_groups.all():
            modifiers = list(group.modifiers.all())
            defaults = [modifier for modifier in modifiers if modifier.is_default]
            if group.minimum and defaults and self.chance.random() < 0.6:
                picks += [(group.name, modifier) for modifier in defaults]
            elif group.minimum or self.chance.random() < 0.35:
                chosen = self.chance.sample(modifiers, max(group.minimum, 1))
                picks += [(group.name, modifier) for modifier in chosen]
        return Wish(item, size, tuple(picks), quantity=self.chance.choice((1, 1, 1, 2, 3)))

    def write(self, wishes: list[Wish]) -> Order:
        organization = self.place.organization
        newest = Order.objects.filter(organization=organization).aggregate(newest=Max("number"))["newest"] or 0
        at = self.connected_at + dt.timedelta(milliseconds=self.talk.now_ms)
        age = timezone.now() - at
        state = self.chance.choice((OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.READY))
        totals = totals_of((wish.price for wish in wishes), tax_rule(organization))
        order = Order.objects.create(
            organization=organization,
            call=self.call,
            number=newest + 1,
            draft_version=len(wishes),
            state=state if age < dt.timedelta(hours=2) else OrderState.DONE,
            customer_name=self.chance.choice(NAMES),
            customer_number=self.call.caller_number,
            currency=organization.currency,
            subtotal=totals.subtotal,
            tax=totals.tax,
            total=totals.total,
        )
        Order.objects.filter(pk=order.pk).update(created_at=at)
        order.created_at = at
        for position, wish in enumerate(wishes, 1):
            write_line(order, position, wish)
        write_delivery(order)
        return order


def write_line(order: Order, position: int, wish: Wish) -> None:
    line = OrderLine.objects.create(
        order=order,
        position=position,
        item_id=wish.item.pk,
        item=wish.item.name,
        size=wish.size.name if wish.size else "",
        quantity=wish.quantity,
        unit_price=wish.price / wish.quantity,
        price=wish.price,
    )
    for group, modifier in wish.picks:
        OrderModifier.objects.create(
            line=line, modifier_id=modifier.pk, group=group, name=modifier.name, price=modifier.price
        )


def write_delivery(order: Order) -> None:
    """As if it had been delivered, if there is where to: nothing of the past is sent anywhere."""
    endpoint = order.organization.webhook_endpoints.first()
    if endpoint is None:
        return
    message = OutboxMessage.objects.create(
        organization=order.organization,
        topic=TOPIC,
        event=WebhookEvent.ORDER_SUBMITTED,
        endpoint=endpoint,
        about=f"order:{order.pk}",
        partition_key=f"{endpoint.pk}|call:{order.call_id}",
        body={
            "type": WebhookEvent.ORDER_SUBMITTED.value,
            "timestamp": utc_ms(order.created_at),
            "data": {"id": str(order.pk), "number": order.number, "total": str(order.total), "replaces": None},
        },
        state=OutboxMessage.State.DONE,
        attempts=1,
        done_at=order.created_at,
    )
    OutboxMessage.objects.filter(pk=message.pk).update(created_at=order.created_at, due_at=order.created_at)
    WebhookAttempt.objects.create(
        message=message,
        at=order.created_at,
        status=200,
        duration_ms=38,
        request_headers={"content-type": "application/json", "webhook-id": str(message.message_id)},
        response_headers={"content-type": "application/json; charset=utf-8"},
        response_body='{"received": true}',
    )


def greeting_of(place: Place) -> str:
    return place.agent.published_version.greeting if place.agent.published_version else place.agent.greeting


def usage_of(length_ms: int) -> dict[str, object]:
    seconds = length_ms // 1000
    usage = {
        "input_token_details": {"text_tokens": 2400, "audio_tokens": seconds * 6},
        "output_token_details": {"text_tokens": seconds * 4, "audio_tokens": seconds * 8},
    }
    return add_usage({}, source="response", model="gpt-realtime", usage=usage)
