"""The list of calls and the page of one: what they say, and how many queries they take."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sessions.calls.admin.call_page import read_call
from sessions.calls.admin.display import tool_sentence
from sessions.calls.admin.latency_bars import bars
from sessions.calls.models import Call, CallEvent, CallState, ToolCall, TranscriptLine, Turn
from sessions.orders.models import Order
from sessions.rooms.models import Participant, RoomAgent

from .world import World

LIST = "/admin/voice_sessions/call/"


def page_of(client: Client, call: Call) -> str:
    return client.get(reverse("admin:voice_sessions_call_change", args=(call.pk,))).content.decode()


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def say(call: Call, speaker: str, text: str, at_ms: int, turn: int, *, is_cut: bool = False) -> None:
    TranscriptLine.objects.create(
        call=call,
        item_id=f"{speaker}_{at_ms}",
        speaker=speaker,
        text=text,
        spoken_at_ms=at_ms,
        turn=turn,
        is_cut=is_cut,
    )


@pytest.fixture
def call(harbour: World) -> Call:
    """Written down out of order, as reports arrive."""
    call: Call = harbour[Call]
    for model in (TranscriptLine, ToolCall, Turn, CallEvent):
        model.objects.filter(call=call).delete()
    say(call, "agent", "Two large Marg", 6000, 1, is_cut=True)
    say(call, "agent", "Harbour, good evening.", 300, 0)
    say(call, "caller", "Two large Margheritas, please.", 3000, 1)
    say(call, "caller", "Make that three.", 7200, 2)
    assert call.connected_at is not None
    ToolCall.objects.create(
        call=call, tool_call_id="a", name="change_order", outcome="done", turn=1, duration_ms=12,
        arguments={"changes": [{"do": "add", "item": "Margherita", "size": "large", "quantity": 2}]},
        output={"ok": True, "say": "Two large Margheritas."}, at=call.connected_at + dt.timedelta(milliseconds=5400),
    )  # fmt: skip
    Turn.objects.create(
        call=call, number=1, response_ms=900, detection_ms=500, model_ms=300, playout_ms=60, is_interrupted=True
    )
    Turn.objects.create(call=call, number=2, response_ms=1700, detection_ms=500, model_ms=1100, playout_ms=100)
    CallEvent.objects.create(
        call=call, kind="interrupted", at=timezone.now(), at_ms=7200, detail={"turn": 1, "heard_ms": 850}
    )
    Call.objects.filter(pk=call.pk).update(
        cost_usd=Decimal("0.0421"), interruptions=1, usage={"response": {"audio_tokens": 1234, "text_tokens": 0}}
    )
    call.refresh_from_db()
    return call


def test_the_conversation_reads_in_the_order_spoken(call: Call) -> None:
    page = read_call(call, caller="")
    assert [(said.kind, said.at, said.text) for said in page.conversation] == [
        ("agent", "0:00", "Harbour, good evening."),
        ("caller", "0:03", "Two large Margheritas, please."),
        ("tool", "0:05", "Changed the order: added 2 × large Margherita."),
        ("agent", "0:06", "Two large Marg"),
        ("caller", "0:07", "Make that three."),
    ]
    assert [said.response for said in page.conversation if said.kind == "agent"] == ["", "0.90 s"]


def test_the_page_describes_what_happened(call: Call, client_of_alice: Client) -> None:
    page = page_of(client_of_alice, call)
    for words in (
        "The agent said goodbye and hung up.",
        "interrupted here",
        "Result: Two large Margheritas.",
        "response time 0.90 s",
        "1.30 s",  # the median of both
        "1.70 s",
        "Turn 2: 1700 ms (detection 500 ms, model 1100 ms, playout 100 ms)",
        "The caller interrupted the agent in turn 1, after 0.85 s of its answer.",
        "$0.0421",
        "Response audio tokens",
        "1,234",
        "Order No. 1",
        "2 × Harbour item",
        "11.00 EUR",
        "Harbour agent v1",
        "1:05",
    ):
        assert words in page, words
    assert "Response text tokens" not in page


def test_the_cost_is_shown_by_its_parts(call: Call, client_of_alice: Client) -> None:
    call.usage = {"response gpt-realtime-2.1": {"audio_out": 1000}, "response gpt-of-tomorrow": {"text_in": 5}}
    call.save()
    page = client_of_alice.get(reverse("admin:voice_sessions_call_change", args=(call.pk,))).content.decode()
    assert re.search(r"Response gpt-realtime-2.1 audio out</th>.*?1,000.*?\$0.0640", page, re.S)
    assert re.search(r"Response gpt-of-tomorrow text in</th>.*?5.*?unknown", page, re.S)


def test_what_a_caller_says_is_escaped(call: Call, client_of_alice: Client) -> None:
    evil = '<img src=x onerror="alert(1)">'
    say(call, "caller", evil, 9000, 3)
    Order.objects.filter(call=call).update(customer_name=evil, note=evil)
    order = Order.objects.get(call=call)
    ticket = client_of_alice.get(reverse("admin:voice_sessions_order_ticket", args=(order.pk,))).content.decode()
    for page in (
        page_of(client_of_alice, call),
        client_of_alice.get("/admin/voice_sessions/order/").content.decode(),
        ticket,
    ):
        assert evil not in page
        assert "&lt;img src=x" in page


def test_the_list_colors_and_names_every_state(harbour: World, client_of_alice: Client) -> None:
    for state in CallState:
        Call.objects.create(organization=harbour.organization, state=state)
    page = client_of_alice.get(LIST).content.decode()
    for state in CallState:
        assert str(state.label) in page
    for words in ("Agent hung up", "1:05", "0.90 s", "11.00 EUR"):
        assert words in page


def test_an_order_that_was_replaced_brings_no_money(harbour: World, client_of_alice: Client) -> None:
    Order.objects.update(state="replaced")
    assert "11.00 EUR" not in client_of_alice.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("state__exact=completed", True), ("state__exact=failed", False), ("state__in=missed,failed", False),
        ("end_reason__exact=agent_hung_up", True), ("end_reason__exact=line_full", False),
        ("created_at__gte=2999-01-01T00:00:00Z", False), ("q=CAHarbour", True), ("q=CANowhere", False),
    ],
)  # fmt: skip
def test_calls_are_filtered_and_searched(query: str, is_found: bool, harbour: World, client_of_alice: Client) -> None:
    page = client_of_alice.get(f"{LIST}?{query}").content.decode()
    assert (str(harbour[Call].pk) in page) == is_found


def test_a_call_is_found_by_its_id_and_by_part_of_it(harbour: World, client_of_alice: Client) -> None:
    number = str(harbour[Call].pk)
    for part in (number, number[:8]):
        assert f"/{number}/change/" in client_of_alice.get(LIST, {"q": part}).content.decode()


def test_the_list_takes_as_many_queries_for_forty_calls_as_for_one(harbour: World, client_of_alice: Client) -> None:
    client_of_alice.get(LIST)
    few = queries_of(client_of_alice, LIST)
    for number in range(40):
        call = Call.objects.create(organization=harbour.organization, agent=harbour[Call].agent, state="completed")
        Turn.objects.create(call=call, number=1, response_ms=700 + number)
        Order.objects.create(
            organization=harbour.organization, call=call, number=number + 2, currency="EUR",
            subtotal=1, tax=0, total=1,
        )  # fmt: skip
    assert queries_of(client_of_alice, LIST) == few <= 24


def test_the_page_takes_as_many_queries_for_hundreds_of_lines_as_for_few(call: Call, client_of_alice: Client) -> None:
    address = reverse("admin:voice_sessions_call_change", args=(call.pk,))
    client_of_alice.get(address)
    few = queries_of(client_of_alice, address)
    now = timezone.now()
    for number in range(10, 310):
        say(call, "caller" if number % 2 else "agent", f"line {number}", number * 1000, number)
        Turn.objects.create(call=call, number=number, response_ms=800)
        ToolCall.objects.create(call=call, tool_call_id=f"t{number}", name="end_call", outcome="done", at=now)
        CallEvent.objects.create(call=call, kind="noted", at=now)
    assert queries_of(client_of_alice, address) == few <= 25
    assert "line 309" in page_of(client_of_alice, call)


def test_a_bar_is_as_wide_as_its_turn_was_slow() -> None:
    drawn = bars(
        [
            Turn(number=1, response_ms=500, detection_ms=300, model_ms=100, playout_ms=50),
            Turn(number=2, response_ms=2000, detection_ms=500, model_ms=None, playout_ms=None),
            Turn(number=3, response_ms=None),
        ]
    )
    assert [(bar.turn, bar.is_slow) for bar in drawn] == [(1, False), (2, True)]
    assert [(part.kind, part.x, part.width, part.ms) for part in drawn[0].parts] == [
        ("detection", 0, 150, 300),
        ("model", 150, 50, 100),
        ("playout", 200, 25, 50),
        ("rest", 225, 25, 50),
    ]
    assert sum(part.width for part in drawn[1].parts) == 1000


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("look_up_items", {"query": "pizza"}, "Looked up “pizza” on the menu."),
        ("change_order", {"changes": [{"do": "remove", "line": 2}, {"do": "clear"}]},
         "Changed the order: removed line 2; removed all items."),
        ("change_order", {"changes": [{"do": "update", "line": 1, "quantity": 3}]},
         "Changed the order: line 1 is now 3."),
        ("change_order", {"changes": [{"do": "add", "item": "Cola", "modifiers": ["ice", "lime"]}]},
         "Changed the order: added 1 × Cola with ice, lime."),
        ("change_order", {"changes": "everything"}, "Changed the order."),
        ("change_order", "no object", "Changed the order."),
        ("submit_order", {"customer_name": "Ida"}, "Submitted the order for Ida."),
        ("transfer_call", {"target": "front-desk"}, "Transferred the caller to “front-desk”."),
        ("fly_to_the_moon", {}, "Used fly to the moon."),
    ],
)  # fmt: skip
def test_a_tool_call_is_shown_as_a_sentence(name: str, arguments: object, sentence: str) -> None:
    assert tool_sentence(ToolCall(name=name, arguments=arguments)) == sentence


def test_the_agents_of_a_room_stand_on_its_calls_page(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[RoomAgent]
    page = page_of(client_of_alice, harbour[Call])
    assert "Room agents</h2>" in page
    assert reverse("admin:voice_sessions_roomagent_change", args=(agent.pk,)) in page
    RoomAgent.objects.all().delete()
    assert "Room agents</h2>" not in page_of(client_of_alice, harbour[Call])


def test_the_people_of_a_room_stand_on_its_calls_page_with_their_times(client_of_alice: Client, harbour: World) -> None:
    guest = harbour[Participant]
    Participant.objects.filter(pk=guest.pk).update(joined_at=dt.datetime(2030, 1, 1, 12, 0, 5, tzinfo=dt.UTC))
    page = page_of(client_of_alice, harbour[Call])
    for words in ("Room participants</h2>", "Harbour guest", "12:00:05", "Caller</td>"):
        assert words in page
    Participant.objects.all().delete()
    assert "Room participants</h2>" not in page_of(client_of_alice, harbour[Call])


def test_a_call_in_a_room_shows_its_room_and_no_number(client_of_alice: Client, harbour: World) -> None:
    call = harbour[Call]
    Call.objects.filter(pk=call.pk).update(
        kind="room", call_type="user-to-user", room_name="between-us", owner="user_alice", callee="user_bob"
    )
    page, listed = page_of(client_of_alice, call), client_of_alice.get(LIST).content.decode()
    for words in ("between-us", "User to user", "user_alice", "user_bob"):
        assert words in page
    assert "<dt>To</dt>" not in page
    assert "User to user" in listed
    assert "withheld" not in page + listed
    found = client_of_alice.get(LIST, {"q": "between-us"}).content.decode()
    assert "User to user" in found


@pytest.mark.parametrize(
    ("end_reason", "refused_for", "words"),
    [
        ("agent_not_published", "not_published", "The agent is not published."),
        ("agent_paused", "paused", "The agent was paused."),
        ("no_agent", "no_agent", "The organization has no default agent"),
        ("number_switched_off", "number_switched_off", "The phone number is inactive."),
        ("line_full", "caller", "The caller already had two live calls."),
        ("line_full", "draining", "The server was shutting down"),
        ("line_full", "organization", "The organization reached its maximum of concurrent calls."),
    ],
)
def test_the_page_of_a_refused_call_names_the_true_reason(
    client_of_alice: Client, harbour: World, end_reason: str, refused_for: str, words: str
) -> None:
    call = Call.objects.create(organization=harbour.organization, state=CallState.MISSED, end_reason=end_reason)
    CallEvent.objects.create(call=call, kind="ringing", at=timezone.now(), detail={"refused_for": refused_for})
    assert words in page_of(client_of_alice, call)
