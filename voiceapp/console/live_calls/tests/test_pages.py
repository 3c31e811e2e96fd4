"""The pages of live calls: what each role sees and may do, and what each kind of call offers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.configuration.models import Agent
from agents.organizations.models import Membership, Organization
from agents.tests.builders import make_agent, make_menu, make_organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallCommand, CallKind, TranscriptLine
from sessions.calls.services import finish_call
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.hints import hints_after
from sessions.rooms.services.room_state import room_state
from sessions.tests.builders import Phone, make_call, make_room_call

from ..consumers import admit

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

NUMBER = "+4915112345678"


@pytest.fixture
def agent() -> Agent:
    organization = make_organization("Harbour")
    make_menu(organization)
    return make_agent(organization)


@pytest.fixture
def call(agent: Agent) -> Call:
    return make_call(agent, process="a-process", connected_at=timezone.now(), caller_number=NUMBER)


def client_of(organization: Organization | None, role: str) -> Client:
    user = User.objects.create_user(role, is_staff=True)
    if organization is not None:
        Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def events_of(client: Client, path: str) -> list[dict[str, Any]]:
    response = client.get(f"{path}?poll=1")
    assert response.status_code == 200, response.content
    events: list[dict[str, Any]] = response.json()["events"]
    return events


def state_of(client: Client, call: Call) -> dict[str, Any]:
    events = events_of(client, f"/admin/live/{call.pk}/feed")
    state: dict[str, Any] = next(each["data"] for each in events if each["name"] == "state")
    return state


def act(client: Client, call: Call, what: str, **form: str) -> tuple[int, str]:
    response = client.post(f"/admin/live/{call.pk}/{what}/", form, headers={"Accept": "application/json"})
    return response.status_code, response.json()["message"]


def test_the_list_grows_with_what_the_calls_make(
    agent: Agent, call: Call, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(agent.organization, "owner")
    with django_assert_max_num_queries(17):
        for _ in range(5):
            make_call(agent, process="a-process")
        page = client.get("/admin/live/").content.decode()
    assert page.count("<tr data-call=") == 6
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    events = events_of(client, "/admin/live/feed")
    assert len(events[-1]["data"]["ids"]) == 5
    assert str(call.pk) not in events[-1]["data"]["ids"]


def test_the_draft_order_and_the_words_appear_on_the_page(agent: Agent, call: Call) -> None:
    Phone(call.pk).add("Margherita", quantity=2)
    TranscriptLine.objects.create(
        call=call, item_id="i1", speaker="caller", text="<b>Two</b> margheritas", spoken_at_ms=1200, turn=1
    )
    client = client_of(agent.organization, "owner")
    events = events_of(client, f"/admin/live/{call.pk}/feed")
    parts = {each["id"]: each["data"]["html"] for each in events if each["name"] == "part"}
    assert "2 × " in parts["making"]
    assert "Margherita" in parts["making"]
    [line] = [each["data"] for each in events if each["name"] == "line"]
    assert (line["text"], line["atMs"]) == ("<b>Two</b> margheritas", 1200)
    assert "Order: 2 items" in client.get("/admin/live/").content.decode()


@pytest.mark.parametrize(
    ("role", "sees_number", "may_act", "may_listen"),
    [("owner", True, True, True), ("staff", False, True, False), ("viewer", False, False, False)],
)
def test_roles(role: str, sees_number: bool, may_act: bool, may_listen: bool, agent: Agent, call: Call) -> None:
    client = client_of(agent.organization, role)
    for path in ("/admin/live/", f"/admin/live/{call.pk}/"):
        page = client.get(path).content.decode()
        assert ("1511 2345678" in page) == sees_number
        assert NUMBER not in page or sees_number
    offers = state_of(client, call)["offers"]
    assert (not offers["whisper"], not offers["hang-up"], not offers["listen"]) == (may_act, may_act, may_listen)
    status, sentence = act(client, call, "whisper", text="The cake is sold out.")
    assert status == (200 if may_act else 409), sentence
    assert CallCommand.objects.count() == int(may_act)


def test_a_stranger_and_the_kitchen_do_not_learn_of_the_call(agent: Agent, call: Call) -> None:
    stranger = client_of(make_organization("Meadow"), "owner")
    assert stranger.get(f"/admin/live/{call.pk}/").status_code == 404
    assert stranger.get(f"/admin/live/{call.pk}/feed").status_code == 404
    assert stranger.post(f"/admin/live/{call.pk}/hang-up/").status_code == 404
    assert "data-call" not in stranger.get("/admin/live/").content.decode()
    assert client_of(agent.organization, "kitchen").get("/admin/live/").status_code == 403
    assert Client().get("/admin/live/feed").status_code == 401
    assert not CallCommand.objects.exists()
    assert admit({"headers": [], "scheme": "https"}, call.pk, wants_sound=False).is_hidden


def test_what_a_kind_of_call_does_not_offer_is_said(agent: Agent, call: Call) -> None:
    client = client_of(agent.organization, "owner")
    room = make_room_call(agent.organization)
    offers = state_of(client, room)["offers"]
    assert offers.pop("hang-up") == ""
    assert offers.pop("whisper") == "No agent is in this call's room now."
    assert "LiveKit room" in offers.pop("hand-over")
    assert "set LIVEKIT_HOST" in offers.pop("listen")
    Call.objects.filter(pk=call.pk).update(kind=CallKind.BROWSER, carrier_sid="rtc_1")
    offers = state_of(client, call)["offers"]
    assert (offers["hang-up"], offers["whisper"]) == ("", "")
    assert "talk to each other directly" in offers["listen"]
    assert "cannot be transferred" in offers["hand-over"]
    assert act(client, room, "whisper", text="Hello")[0] == 409


def test_a_hint_reaches_the_agent_of_a_room_by_its_number(agent: Agent) -> None:
    client, room = client_of(agent.organization, "owner"), make_room_call(agent.organization)
    of_room = RoomAgent.objects.create(call=room, identity="agent-1", status=RoomAgent.Status.ACTIVE)
    for text in ("Offer the lemon cake.", "  We close at nine. "):
        assert act(client, room, "whisper", text=text)[0] == 200
    first, second = hints_after(room.pk, 0)
    assert [hint.text for hint in hints_after(room.pk, first.number)] == [second.text] == ["We close at nine."]
    shown = room_state(room)
    assert (shown["hint"], "lemon" in str(shown)) == (second.number, False)
    assert OutboxMessage.objects.filter(topic="room.state").count() == 1
    of_room.status = RoomAgent.Status.DISCONNECTED
    of_room.save()
    assert act(client, room, "whisper", text="Hello")[0] == 409
    assert client_of(agent.organization, "kitchen").post(f"/admin/live/{room.pk}/whisper/").status_code == 404


def test_calls_that_no_process_carries_are_ended_here(agent: Agent, call: Call) -> None:
    client, room = client_of(agent.organization, "owner"), make_room_call(agent.organization)
    assert act(client, room, "hang-up")[0] == 200
    assert OutboxMessage.objects.filter(topic="room.close").exists()
    Call.objects.filter(pk=call.pk).update(process="", kind=CallKind.BROWSER, carrier_sid=None)
    assert act(client, call, "hang-up")[0] == 200
    for ended in (room, call):
        ended.refresh_from_db()
        assert ended.end_reason == EndReason.HUNG_UP_BY_OPERATOR
        assert ended.events.get(kind="operator_hang_up").detail == {"by": "owner"}


def test_what_cannot_be_done_says_what_to_do(agent: Agent, call: Call) -> None:
    client = client_of(agent.organization, "owner")
    assert act(client, call, "whisper", text="  ") == (409, "Write what the agent should know.")
    assert act(client, call, "whisper", text="x" * 301)[0] == 409
    assert act(client, call, "hand-over", to="nobody") == (409, "Choose one of the transfer targets.")
    assert client.post(f"/admin/live/{call.pk}/listen/").status_code == 404
    Call.objects.filter(pk=call.pk).update(process="", transferred_to="Front desk")
    assert "not talking" in act(client, call, "whisper", text="Hello")[1]
    assert "Front desk" in state_of(client, call)["doing"]
    finish_call(call.pk, reason=EndReason.TRANSFERRED)
    assert act(client, call, "hang-up") == (409, "The call is over.")
    assert json.loads(json.dumps(state_of(client, call)))["isLive"] is False
    redirected = client.post(f"/admin/live/{call.pk}/hang-up/", follow=True)
    assert "The call is over." in redirected.content.decode()
