"""Two organizations with one row of everything each, every text of a row carrying its organization's marker."""

from __future__ import annotations

import datetime as dt
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone

from agents.audit_log.models import AuditEntry
from agents.call_page.models import CallPage
from agents.catalog.models import (
    Category,
    Daypart,
    DaypartSpan,
    Item,
    Menu,
    MenuChange,
    Modifier,
    ModifierGroup,
    Service,
    Size,
    SpokenWord,
)
from agents.configuration.models import Agent, RealtimeEndpoint
from agents.configuration.services import publish_agent
from agents.delivery.models import DeliverySettings
from agents.hours.models import OpeningHours, SpecialDay, TransferHours
from agents.invitations.models import Invitation
from agents.organizations.models import ApiKey, Membership, Organization
from agents.privacy.models import PrivacySettings
from agents.resources.models import Absence, Resource, ResourceHours
from agents.transfers.models import TransferTarget
from recordings.models import Recording, RecordingAccess
from sessions.alerts.models import Alert, AlertRule
from sessions.appointments.calendars.models import CalendarEntry, CalendarFeed, ConnectedCalendar
from sessions.appointments.models import Appointment, BookedResource, DraftAppointment
from sessions.call_lists.models import SavedView
from sessions.calls.models import Call, CallEvent, CallListening, CallState, ToolCall, TranscriptLine, Turn
from sessions.exports.models import Export
from sessions.messages.endpoints.models import WebhookAttempt, WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState, TextTemplate
from sessions.orders.board.models import BoardSettings
from sessions.orders.models import CallerNotRemembered, DraftOrder, Order, OrderLine, OrderModifier
from sessions.realtime.models import VoiceSession
from sessions.rooms.models import Participant, RoomAgent, RoomToken
from telephony.caller_requests.models import CallerRequest
from telephony.events.models import ProviderEvent
from telephony.replays.comparison import Figures
from telephony.replays.models import ReplayRun
from telephony.scenarios.models import Scenario, ScenarioRun
from telephony.twilio.models import MediaStream, PhoneNumber
from telephony.twilio.transfers.models import Transfer, TransferAttempt
from telephony.twilio.voicemail.models import Voicemail
from telephony.vapi.models import SyncedAssistant, VapiLeg
from voiceapp.providers.webhook_signature import new_secret


@dataclass(slots=True)
class World:
    """An organization's rows by model."""

    marker: str
    organization: Organization
    rows: dict[type[Model], Any] = field(default_factory=dict)

    def __getitem__(self, model: type[Any]) -> Any:
        return self.rows[model]

    def copied(self) -> World:
        """What a test changes in these rows stays with it."""
        rows = {model: copy(row) for model, row in self.rows.items()}
        return replace(self, organization=rows[Organization], rows=rows)

    def member(self, role: str, name: str = "") -> User:
        user = User.objects.create_user(name or f"{role}-{self.marker.lower()}", is_staff=True)
        self.rows[Membership] = Membership.objects.create(organization=self.organization, user=user, role=role)
        return user


def make_world(marker: str, *, digits: str) -> World:
    """`digits` (two) make the numbers differ."""
    organization = Organization(
        name=f"{marker} House", slug=marker.lower(), currency="EUR", closed_message=f"{marker} is closed"
    )
    organization.save()
    world = World(marker, organization)
    make_webhooks(world)
    make_menu(world)
    make_line(world, digits)
    make_call(world, digits)
    make_appointment(world)
    make_calendars(world)
    world.rows[Invitation] = Invitation.objects.create(
        organization=organization, email=f"{marker.lower()}@example.com", last_error=f"{marker} error"
    )
    world.rows[AuditEntry] = AuditEntry.objects.create(
        organization=organization, actor=f"{marker} actor", via="page", place=f"/{marker}", action="changed",
        kind="agents.item", row_id=world[Item].pk, name=f"{marker} item", page=f"agents.item:{world[Item].pk}",
        changes=[["name", f"{marker} old", f"{marker} new"]],
    )  # fmt: skip
    world.rows[Organization] = organization
    return world


def make_webhooks(world: World) -> None:
    endpoint = WebhookEndpoint(
        organization=world.organization,
        name=f"{world.marker} endpoint",
        url=f"https://{world.marker.lower()}.example/hook",
        events=["order.submitted", "appointment.booked", "appointment.moved"],
        paused_at=timezone.now(),
        pause_reason=f"{world.marker} reason",
    )
    endpoint.secret = new_secret()
    endpoint.save()
    world.rows[WebhookEndpoint] = endpoint


def make_menu(world: World) -> None:
    marker, organization = world.marker, world.organization
    menu = Menu.objects.create(organization=organization, name=f"{marker} menu")
    category = Category.objects.create(menu=menu, name=f"{marker} category")
    item = Item.objects.create(category=category, name=f"{marker} item", price=Decimal(5), aliases=f"{marker} alias")
    size = Size.objects.create(item=item, name=f"{marker} size", price=Decimal(6), is_default=True)
    group = ModifierGroup.objects.create(menu=menu, name=f"{marker} group", maximum=2)
    group.items.add(item)
    modifier = Modifier.objects.create(group=group, name=f"{marker} modifier", price=Decimal(1))
    under = ModifierGroup.objects.create(menu=menu, name=f"{marker} nested")
    under.under.add(modifier)
    word, _ = SpokenWord.objects.get_or_create(organization=organization, kind="without", text=f"{marker} nix")
    daypart, _ = Daypart.objects.get_or_create(organization=organization, name=f"{marker} breakfast")
    span = DaypartSpan.objects.create(daypart=daypart, begins_at=dt.time(7), ends_at=dt.time(11))
    change = MenuChange.objects.create(menu=menu, title=f"{marker} change", made_by=f"{marker} changer")
    for row in (menu, category, item, size, group, modifier, word, daypart, span, change):
        world.rows[type(row)] = row


def make_calendars(world: World) -> None:
    marker, organization, resource = world.marker, world.organization, world[Resource]
    feed = CalendarFeed.objects.create(
        organization=organization, name=f"{marker} feed", secret_sha256=f"{marker:0<64}", created_by=f"{marker} maker"
    )
    calendar = ConnectedCalendar(
        resource=resource, address=f"https://{marker}.example/dav", username=f"{marker} user",
        calendar_name=f"{marker} calendar", last_error=f"{marker} error",
    )  # fmt: skip
    calendar.password = f"{marker} password"
    calendar.save()
    entry = CalendarEntry.objects.create(calendar=calendar, appointment=world[Appointment], etag=f"{marker} etag")
    for row in (feed, calendar, entry):
        world.rows[type(row)] = row


def make_line(world: World, digits: str) -> None:
    marker, organization = world.marker, world.organization
    agent = Agent.objects.create(
        organization=organization, name=f"{marker} agent", prompt=f"{marker} prompt", is_default=True
    )
    version = publish_agent(agent, by=f"{marker} publisher", note=f"{marker} note")
    target = TransferTarget.objects.create(
        organization=organization, slug="desk", name=f"{marker} desk", number=f"+4930231250{digits}"
    )
    hours = OpeningHours.objects.create(organization=organization, weekday=0, opens_at=dt.time(0), closes_at=dt.time(0))
    special = SpecialDay.objects.create(organization=organization, date=dt.date(2030, 1, 1), note=f"{marker} day")
    target_hours = TransferHours.objects.create(target=target, weekday=0, opens_at=dt.time(9), closes_at=dt.time(17))
    number = PhoneNumber.objects.create(
        organization=organization, number=f"+4930231251{digits}", label=f"{marker} line"
    )
    key = ApiKey.objects.create(
        organization=organization,
        name=f"{marker} key",
        prefix=f"{digits}keykeyke",
        secret_sha256=digits * 32,
        created_by=f"{marker} maker",
    )
    endpoint = RealtimeEndpoint(organization=organization, origin=f"https://{marker.lower()}.example.com")
    endpoint.api_key = f"{marker}-endpoint-key"
    endpoint.save()
    world.rows[CallerRequest] = CallerRequest.objects.create(
        organization=organization, number=f"+4930555{digits}9", requested_by=f"{marker} owner"
    )
    world.rows[PrivacySettings] = PrivacySettings.objects.create(
        organization=organization, hold_reason=f"{marker} case"
    )
    call_page = CallPage.objects.create(organization=organization, sites=f"https://{marker.lower()}.example")
    for row in (call_page, key, endpoint, agent, version, target, hours, special, target_hours, number):
        world.rows[type(row)] = row


def make_call(world: World, digits: str) -> None:
    marker, organization = world.marker, world.organization
    now = timezone.now()
    call = Call.objects.create(
        organization=organization,
        agent=world[Agent],
        agent_version=world[Agent].published_version,
        state=CallState.COMPLETED,
        end_reason="agent_hung_up",
        carrier_sid=f"CA{marker}",
        caller_number=f"+4930231252{digits}",
        dialed_number=world[PhoneNumber].number,
        connected_at=now,
        ended_at=now + dt.timedelta(seconds=65),
        transferred_to=f"{marker} desk",
    )
    order = Order.objects.create(
        organization=organization,
        call=call,
        number=1,
        customer_name=f"{marker} customer",
        customer_number=call.caller_number,
        note=f"{marker} order note",
        currency="EUR",
        subtotal=Decimal(10),
        tax=Decimal(1),
        total=Decimal(11),
    )
    line = OrderLine.objects.create(
        order=order, position=1, item=f"{marker} item", quantity=2, unit_price=Decimal(5), price=Decimal(10)
    )
    modifier = OrderModifier.objects.create(
        line=line, group=f"{marker} group", name=f"{marker} modifier", price=Decimal(0)
    )
    message = OutboxMessage.objects.create(
        organization=organization,
        topic="webhook",
        event="order.submitted",
        endpoint=world[WebhookEndpoint],
        about=f"order:{order.pk}",
        partition_key=f"{world[WebhookEndpoint].pk}|call:{call.pk}",
        body={"type": "order.submitted", "data": {"text": f"{marker} body", "customerNumber": call.caller_number}},
        state=OutboxMessage.State.FAILED,
        last_error=f"{marker} error",
    )
    attempt = WebhookAttempt.objects.create(
        message=message, status=500, error=f"{marker} attempt", duration_ms=42, response_body=f"{marker} response",
    )  # fmt: skip
    export = Export.objects.create(
        organization=organization, kind="calls", principal=f"{marker} exporter", way="list", file_format="csv",
        filters=f"q={marker}",
    )  # fmt: skip
    alert = Alert.objects.create(
        organization=organization, kind="spend", subject=f"{marker} subject", subject_name=f"{marker} alert",
        facts={"usd": "51.00", "budget": "50.00", "days": 1}, since=now, opened_at=now, last_at=now,
        snoozed_until=now + dt.timedelta(days=1), snoozed_by=f"{marker} snoozer",
    )  # fmt: skip
    (rule,) = AlertRule.objects.bulk_create(
        [AlertRule(organization=organization, kind="number", emails=f"{marker.lower()}@example.com")]
    )
    view = SavedView.objects.create(
        organization=organization, user=User.objects.create_user(f"viewer-of-{marker.lower()}"), name=f"{marker} view"
    )
    rows: list[Model] = [
        alert,
        rule,
        export,
        view,
        call,
        order,
        line,
        modifier,
        message,
        attempt,
        *records_of(call, marker),
        *texts_of(call, marker),
    ]
    for row in rows:
        world.rows[type(row)] = row


def make_appointment(world: World) -> None:
    marker, organization, call = world.marker, world.organization, world[Call]
    service = Service.objects.create(
        organization=organization, name=f"{marker} service", duration_minutes=30, price=Decimal(40)
    )
    resource = Resource.objects.create(organization=organization, name=f"{marker} person")
    start = dt.datetime(2030, 1, 7, 9, tzinfo=dt.UTC)
    hours = ResourceHours.objects.create(resource=resource, weekday=0, opens_at=dt.time(8), closes_at=dt.time(17))
    absence = Absence.objects.create(
        resource=resource, starts_at=start, ends_at=start + dt.timedelta(days=1), note=f"{marker} vacation"
    )
    appointment = Appointment.objects.create(
        organization=organization,
        number=1,
        service=service,
        service_name=service.name,
        price=service.price,
        currency="EUR",
        starts_at=start,
        ends_at=start + dt.timedelta(minutes=30),
        customer_name=f"{marker} customer",
        customer_number=call.caller_number,
        vehicle=f"{marker} car",
        note=f"{marker} appointment note",
        call=call,
        draft_version=1,
        made_by="agent",
    )
    BookedResource.objects.create(appointment=appointment, resource=resource, first_slot=1, end_slot=7)
    draft = DraftAppointment.objects.create(
        call=call, version=1, service=service, customer_name=f"{marker} customer", vehicle=f"{marker} car"
    )
    for row in (service, resource, hours, absence, appointment, draft):
        world.rows[type(row)] = row


def texts_of(call: Call, marker: str) -> list[Model]:
    organization = call.organization
    assert organization is not None
    text = Text.objects.create(
        organization=organization,
        call=call,
        kind=TextKind.MENU_LINK,
        key=f"{marker} key",
        number=call.caller_number,
        our_number=call.dialed_number,
        body=f"{marker} words of a text",
        state=TextState.DELIVERED,
        provider_sid=f"SM{marker}",
    )
    delivery = DeliverySettings.objects.create(organization=organization, postcode="10115")
    return [
        text,
        OptOut.objects.create(organization=organization, number=f"+49151{call.caller_number[-8:]}"),
        CallerNotRemembered.objects.create(organization=organization, number=f"+49151{call.caller_number[-8:]}"),
        BoardSettings.objects.create(organization=organization, prep_minutes=20),
        delivery,
        delivery.zones.create(name=f"{marker} zone", postcodes="10115", fee=Decimal("2.50")),
        TextSettings.objects.create(organization=organization, menu_url=f"https://{marker.lower()}.example.com/menu"),
        TextTemplate.objects.create(
            organization=organization, kind=TextKind.MENU_LINK, language="en", body=f"{marker} template {{link}}"
        ),
    ]


def records_of(call: Call, marker: str) -> list[Model]:
    now, organization = timezone.now(), call.organization
    assert call.agent is not None
    assert organization is not None
    return [
        VoiceSession.objects.create(
            organization=call.organization,
            session_id=f"sess_{marker}",
            owner=f"{marker} subject",
            model=f"{marker} model",
            created_at=now,
            expires_at=now + dt.timedelta(days=30),
        ),
        TranscriptLine.objects.create(
            call=call, item_id="item_1", speaker="caller", text=f"{marker} words", spoken_at_ms=900, turn=1
        ),
        ToolCall.objects.create(
            call=call,
            tool_call_id="call_1",
            name="look_up_items",
            arguments={"query": f"{marker} query"},
            output={"ok": True, "say": f"{marker} say"},
            outcome=ToolCall.Outcome.DONE,
            turn=1,
            at=now + dt.timedelta(seconds=2),
        ),
        CallEvent.objects.create(call=call, kind="noted", at=now, detail={"text": f"{marker} detail"}),
        recording := Recording.objects.create(
            call=call,
            external_id=f"EG_{marker}",
            state=Recording.State.STORED,
            bucket=f"{marker}-bucket",
            key=f"recordings/{marker}/1.mp4",
            label=f"{marker}-label",
            transcript=f"{marker} transcript",
            error=f"{marker} error",
            size_bytes=1234,
            duration_ms=65_000,
        ),
        RecordingAccess.objects.create(
            organization=call.organization,
            recording=recording,
            recording_number=recording.pk,
            principal=f"{marker} listener",
            way=RecordingAccess.Way.PLAYER,
        ),
        CallListening.objects.create(organization=organization, call_number=call.pk, principal=f"{marker} listener in"),
        Voicemail.objects.create(
            call=call,
            recording_sid=f"RE{marker}",
            why=Voicemail.Why.CLOSED,
            state=Voicemail.State.STORED,
            transcript=f"{marker} message",
            no_transcript=f"{marker} reason",
            explanation=f"{marker} explanation",
            heard_at=now,
            heard_by=f"{marker} listener",
        ),
        RoomAgent.objects.create(
            call=call,
            identity=f"ai-agent-{marker}",
            status=RoomAgent.Status.DISCONNECTED,
            dispatch_id=f"AD_{marker}",
            system_prompt=f"{marker} system prompt",
            voice="alloy",
            model=f"{marker} model",
        ),
        RoomToken.objects.create(
            call=call, identity=f"caller-{marker}", subject=f"{marker} subject", role="caller", name=f"{marker} guest"
        ),
        Participant.objects.create(call=call, sid=f"PA_{marker}", identity=f"caller-{marker}", name=f"{marker} guest"),
        Turn.objects.create(call=call, number=1, response_ms=900, detection_ms=500, model_ms=300, playout_ms=60),
        DraftOrder.objects.create(call=call, version=1, lines=[{"item": f"{marker} item"}]),
        stream := MediaStream.objects.create(
            call=call, account_sid="AC1", stream_sid=f"MZ{marker}", expires_at=now, hand_over_to=f"{marker}-desk"
        ),
        transfer := Transfer.objects.create(
            call=call, stream=stream, wanted="desk", name=f"{marker} desk", mode="warm", if_nobody="agent"
        ),
        TransferAttempt.objects.create(
            transfer=transfer,
            position=0,
            slug="desk",
            name=f"{marker} person",
            number=call.caller_number,
            caller_id="organization",
            dialed_at=now,
        ),
        VapiLeg.objects.create(
            vapi_id=f"vapi-{marker}",
            call=call,
            ended_reason=f"{marker}-reason",
            recording_url=f"https://{marker}.test/r",
        ),
        scenario := Scenario.objects.create(
            agent=call.agent,
            name=f"{marker} scenario",
            steps=f"{marker} step",
            expected_order=f"1 × {marker} item",
            made_from=call,
        ),
        ScenarioRun.objects.create(
            scenario=scenario,
            target=ScenarioRun.Target.DRAFT,
            state=ScenarioRun.State.DONE,
            verdict="failed",
            reason=f"{marker} run reason",
            rows=[{"expected": f"1 × {marker} item", "got": "", "is_same": False}],
            entries=[{"who": "caller", "text": f"{marker} step"}],
        ),
        ReplayRun.objects.create(
            call=call,
            target=ReplayRun.Target.DRAFT,
            state=ReplayRun.State.DONE,
            outcome="different",
            reason=f"{marker} replay reason",
            figures=Figures((f"1 × {marker} item",), "", (), 1, 900, 900, 0, 9, "").as_json(),
            lines=[{"speaker": "caller", "text": f"{marker} step"}],
        ),
        SyncedAssistant.objects.create(
            agent=call.agent, assistant_id=f"{marker}-assistant", sent={"name": f"{marker} name"}
        ),
        ProviderEvent.objects.create(
            source="twilio", dedup_key=f"{marker}-1", kind="call-status", call=call, fields={"text": f"{marker} field"}
        ),
    ]
