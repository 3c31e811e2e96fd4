"""/api/realtime/*: authentication, responses, and bad input."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from agents.catalog.models import Item
from agents.hours.models import OpeningHours
from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.orders.models import LONGEST_IDEMPOTENCY_KEY, Order
from sessions.orders.services.stock import SoldOut
from sessions.tests.builders import make_call, make_restaurant

pytestmark = [pytest.mark.django_db, pytest.mark.urls("sessions.urls")]

KEY = "k" * 40
CONFIG, SUBMIT = "/api/realtime/org-config", "/api/realtime/submit-order"


@pytest.fixture(autouse=True)
def internal_key(settings: Settings) -> None:
    settings.INTERNAL_API_KEY = KEY


@pytest.fixture
def machine() -> Client:
    return Client(headers={"Authorization": f"Bearer {KEY}"}, raise_request_exception=True)


@pytest.fixture
def restaurant() -> tuple[Organization, Call]:
    return make_restaurant()


def submit(machine: Client, body: object, key: str = "order-1") -> Any:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return machine.post(SUBMIT, content, content_type="application/json", headers={"Idempotency-Key": key})


def wish(organization: Organization, **more: object) -> dict[str, object]:
    lines = [{"item": "Margherita", "size": "large", "quantity": 2, "modifiers": ["extra cheese"]}]
    return {"orgId": str(organization.pk), "lines": lines} | more


def refusal(answer: Any) -> tuple[str, str]:
    """The code and the sentence of an error."""
    error = answer.json()["error"]
    assert error["requestId"] == answer.headers["X-Request-ID"]
    return error["code"], error["message"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Basic {KEY}",
        KEY,
        f"Bearer {KEY[:-1]}é",
        "Bearer \x80\xff",
        f"Token {KEY}",
    ],
)
def test_without_the_key_every_endpoint_returns_401(authorization: str, restaurant: tuple[Organization, Call]) -> None:
    stranger = Client(headers={"Authorization": authorization} if authorization else {})
    for answer in (
        stranger.get(CONFIG, {"orgId": str(restaurant[0].pk)}),
        stranger.get(CONFIG),
        submit(stranger, wish(restaurant[0])),
        stranger.post(SUBMIT, b"\xff", content_type="text/plain"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert not Order.objects.exists()


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", "Bearer x", ""])
def test_with_no_key_configured_everyone_gets_401(authorization: str, settings: Settings) -> None:
    settings.INTERNAL_API_KEY = ""
    answer = Client(headers={"Authorization": authorization}).get(CONFIG)
    assert answer.status_code == 401


def test_the_configuration_holds_all_a_bridge_needs(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    organization, _ = restaurant
    TransferTarget.objects.create(organization=organization, slug="desk", name="Desk", number="+4930123456")
    config = machine.get(CONFIG, {"orgId": str(organization.pk)}).json()
    assert config["orgId"] == str(organization.pk)
    assert (config["currency"], config["taxPercent"], config["isOpen"]) == ("EUR", "10", True)
    assert config["agent"]["version"] == 1
    assert "ITEM Margherita" in config["agent"]["instructions"]
    assert [tool["name"] for tool in config["agent"]["tools"]][:2] == ["look_up_items", "change_order"]
    pizza = config["menu"][0]["items"][0]
    assert (config["menu"][0]["category"], pizza["name"], pizza["price"]) == ("Pizzas", "Margherita", "9.50")
    assert pizza["sizes"][1] == {
        "id": pizza["sizes"][1]["id"],
        "name": "medium",
        "spokenForms": [],
        "price": "9.50",
        "isAvailable": True,
        "countLeft": None,
        "isDefault": True,
    }
    deal = config["menu"][1]["items"][0]
    assert deal["groups"][0]["modifiers"][1]["groups"][0]["name"] == "Dressing"
    assert config["transferTargets"] == [
        {"id": "desk", "name": "Desk", "whenToUse": "", "isFallback": False, "isThere": True}
    ]
    assert "+4930123456" not in json.dumps(config)


def test_an_organization_without_a_published_agent_has_none(machine: Client) -> None:
    organization = make_organization("Bare")
    config = machine.get(CONFIG, {"orgId": str(organization.pk)}).json()
    assert config["agent"] is None
    assert config["menu"] == []


@pytest.mark.parametrize("named", ["nonsense", "00000000-0000-0000-0000-000000000000", "a\0b", "é", "1" * 5000])
def test_an_organization_that_does_not_exist_is_404(named: str, machine: Client) -> None:
    answer = machine.get(CONFIG, {"orgId": named})
    assert (answer.status_code, refusal(answer)) == (404, ("not_found", "There is no such organization."))


def test_the_organization_must_be_named(machine: Client) -> None:
    assert machine.get(CONFIG).status_code == 400


def test_an_order_is_priced_by_the_server_and_announced(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    organization, call = restaurant
    answer = submit(machine, wish(organization, callId=str(call.pk), customerName="Ada", note="ring twice"))
    assert answer.status_code == 201
    placed = answer.json()["order"]
    assert (placed["subtotal"], placed["tax"], placed["total"], placed["number"]) == ("27.00", "2.70", "29.70", 1)
    assert (placed["callId"], placed["customerName"], placed["note"]) == (str(call.pk), "Ada", "ring twice")
    assert placed["customerNumber"] == call.caller_number
    assert [modifier["name"] for modifier in placed["lines"][0]["modifiers"]] == ["thin crust", "extra cheese"]
    assert OutboxMessage.objects.get().body["data"] == placed


def test_the_same_key_and_body_give_the_same_answer(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    first = submit(machine, wish(restaurant[0]))
    second = submit(machine, json.dumps(wish(restaurant[0]), indent=2))
    assert first.json() == second.json()
    assert second.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == OutboxMessage.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    submit(machine, wish(restaurant[0]))
    answer = submit(machine, wish(restaurant[0], note="now with a note"))
    assert (answer.status_code, refusal(answer)[0]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_a_key_that_comes_again_in_another_call_is_another_order(
    machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    organization, call = restaurant
    assert call.agent is not None
    other = make_call(call.agent)
    bodies = [wish(organization, callId=str(call.pk)), wish(organization, callId=str(other.pk)), wish(organization)]
    placed = [submit(machine, body, key="call_1") for body in bodies]
    assert [answer.status_code for answer in placed] == [201] * 3
    assert {answer.json()["order"]["callId"] for answer in placed} == {str(call.pk), str(other.pk), None}
    again = [submit(machine, body, key="call_1") for body in bodies]
    assert [answer.json() for answer in again] == [answer.json() for answer in placed]
    assert all(answer.headers["Idempotent-Replayed"] == "true" for answer in again)
    refused = submit(machine, wish(organization, callId=str(call.pk), note="other"), key="call_1")
    assert (refused.status_code, refusal(refused)[0]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 3


def test_the_longest_key_fits_with_its_call(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    organization, call = restaurant
    for _ in range(2):
        assert submit(machine, wish(organization, callId=str(call.pk)), key="k" * 128).status_code == 201
    assert len(str(Order.objects.get().idempotency_key)) == LONGEST_IDEMPOTENCY_KEY


def test_another_organization_may_use_the_same_key(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    submit(machine, wish(restaurant[0]))
    other, _ = make_restaurant("Charlie's Diner")
    assert submit(machine, wish(other)).json()["order"]["number"] == 1
    assert Order.objects.count() == 2


def test_a_call_of_another_organization_is_as_unknown_as_none(
    machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    _, strangers_call = make_restaurant("Charlie's Diner")
    answers = [
        submit(machine, wish(restaurant[0], callId=call_id))
        for call_id in (str(strangers_call.pk), "00000000-0000-0000-0000-000000000000")
    ]
    assert {(answer.status_code, refusal(answer)) for answer in answers} == {
        (422, ("unknown_call", "The organization has no such call."))
    }


def test_what_is_out_or_unknown_or_too_much_is_refused_with_a_sentence(
    machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    organization, _ = restaurant
    Item.objects.filter(name="Tiramisu").update(is_out=True)
    refusals = {
        "Tiramisu": "The Tiramisu is out right now. Would you like the Panna cotta instead?",
        "Spaceship": "I cannot find “Spaceship” on the menu.",
    }
    for item, sentence in refusals.items():
        answer = submit(machine, wish(organization, lines=[{"item": item}]))
        assert (answer.status_code, refusal(answer)) == (422, ("order_refused", sentence))
    Organization.objects.update(largest_order_total=20)
    assert refusal(submit(machine, wish(organization)))[0] == "order_refused"
    assert not Order.objects.exists()


def test_a_refused_key_may_be_used_again(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    Item.objects.filter(name="Margherita").update(is_out=True)
    assert submit(machine, wish(restaurant[0])).status_code == 422
    Item.objects.filter(name="Margherita").update(is_out=False)
    assert submit(machine, wish(restaurant[0])).status_code == 201


def test_a_closed_or_pausing_organization_takes_no_order(
    machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    organization, _ = restaurant
    yesterday = (dt.datetime.now(organization.zone) - dt.timedelta(days=1)).weekday()
    OpeningHours.objects.create(
        organization=organization, weekday=yesterday, opens_at=dt.time(0), closes_at=dt.time(0, 1)
    )
    assert refusal(submit(machine, wish(organization)))[1].startswith("We are closed now")
    Organization.objects.update(takes_orders=False)
    assert refusal(submit(machine, wish(organization)))[1] == "We do not take orders on the phone right now."


def test_an_unknown_organization_takes_no_order(machine: Client) -> None:
    make_agent(make_organization())
    body = {"orgId": "00000000-0000-0000-0000-000000000000", "lines": [{"item": "Margherita"}]}
    assert submit(machine, body).status_code == 404


LINE = {"item": "Margherita"}
BAD_BODIES: list[object] = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b"null",
    b'"text"',
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a":' * 40 + b"1" + b"}" * 40,
    b'{"orgId": NaN}',
    b'{"orgId": 1e999}',
    b" " * 300_000 + b"{}",
    {},
    {"orgId": "x", "lines": [LINE]},
    {"orgId": None, "lines": [LINE]},
    {"lines": LINE},
    {"lines": []},
    {"lines": [LINE] * 31},
    {"lines": ["Margherita"]},
    {"lines": [LINE], "price": "1.00"},
    {"lines": [LINE], "total": 1},
    {"lines": [LINE | {"price": "0.01"}]},
    {"lines": [LINE | {"quantity": 0}]},
    {"lines": [LINE | {"quantity": -1}]},
    {"lines": [LINE | {"quantity": 10**30}]},
    {"lines": [LINE | {"quantity": 1.5}]},
    {"lines": [LINE | {"quantity": "many"}]},
    {"lines": [LINE | {"modifiers": "extra cheese"}]},
    {"lines": [LINE | {"modifiers": [["extra cheese"]]}]},
    {"lines": [LINE | {"note": "x" * 201}]},
    {"lines": [{"item": ""}]},
    {"lines": [{"item": "a\0b"}]},
    {"lines": [{"item": "\ud800"}]},
    {"lines": [LINE], "customerNumber": "call me"},
    {"lines": [LINE], "customerName": {"first": "Ada"}},
    {"lines": [LINE], "callId": "no id"},
]


@pytest.mark.parametrize("typed", ["+4917655551234", "0176 5555 1234", "+49 (0)176 / 55551234", "0049 176 55551234"])
def test_the_customers_number_is_read_in_the_organizations_notation(
    typed: str, machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    answer = submit(machine, wish(restaurant[0], customerNumber=typed))
    assert answer.json()["order"]["customerNumber"] == "+4917655551234"


def test_a_customers_number_that_is_none_is_refused_with_what_to_write(
    machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    answer = submit(machine, wish(restaurant[0], customerNumber="555"))
    assert answer.status_code == 400
    assert "030 123456" in answer.content.decode()


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("anonymous", ""),
        ("+266696687", ""),
        ("client:browser_7", ""),
        ("sip:alice@example.com", ""),
        ("whatsapp:+4917655551234", "+4917655551234"),
        ("sip:+4917655551234@trunk.example.com", "+4917655551234"),
    ],
)
def test_an_order_keeps_only_a_number_at_which_the_customer_can_be_rung(
    written: str, number: str, machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    organization, call = restaurant
    Call.objects.filter(pk=call.pk).update(caller_number=written)
    answer = submit(machine, wish(organization, callId=str(call.pk)))
    assert answer.json()["order"]["customerNumber"] == number


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_body_is_400_and_never_500(body: object, machine: Client, restaurant: tuple[Organization, Call]) -> None:
    if isinstance(body, dict) and body and "orgId" not in body:
        body = {"orgId": str(restaurant[0].pk)} | body
    answer = submit(machine, body)
    assert answer.status_code == 400, answer.content
    assert not Order.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 129, "with space", "nul\0", "umlaut-é"])
def test_a_missing_or_odd_idempotency_key_is_400(
    key: str, machine: Client, restaurant: tuple[Organization, Call]
) -> None:
    assert submit(machine, wish(restaurant[0]), key=key).status_code == 400


@pytest.mark.parametrize(("path", "allowed"), [(CONFIG, "GET, HEAD"), (SUBMIT, "POST")])
def test_other_methods_are_405(machine: Client, path: str, allowed: str) -> None:
    for method in ("OPTIONS", "PUT", "DELETE"):
        response = machine.generic(method, path)
        assert (response.status_code, response["Allow"]) == (405, allowed)
        assert response.json()["error"]["code"] == "method_not_allowed"


def test_another_content_type_is_415(machine: Client, restaurant: tuple[Organization, Call]) -> None:
    answer = machine.post(SUBMIT, "orgId=1", content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (400, 415)


def test_what_sells_out_meanwhile_is_refused(
    machine: Client, restaurant: tuple[Organization, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sold_out(**_: object) -> None:
        raise SoldOut

    monkeypatch.setattr("sessions.orders.services.submission.move_stock", sold_out)
    assert refusal(submit(machine, wish(restaurant[0])))[0] == "order_refused"
    assert not Order.objects.exists()


def test_a_database_that_refuses_is_503_and_the_key_may_be_sent_again(
    machine: Client, restaurant: tuple[Organization, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("sessions.messages.endpoints.services.announcing.outbox.enqueue", locked)
    answer = submit(machine, wish(restaurant[0]))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert not Order.objects.exists()
    monkeypatch.undo()
    assert submit(machine, wish(restaurant[0])).status_code == 201
