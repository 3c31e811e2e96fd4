"""The kitchen prints each signed order once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import aiohttp
import pytest

from voiceapp.simulators.kitchen import KitchenSimulator
from voiceapp.simulators.kitchen.order_ticket import order_ticket

pytestmark = pytest.mark.asyncio

SECRET = "whsec_" + base64.b64encode(b"secret-of-the-tests-32-bytes-long").decode()
WRONG = "whsec_" + base64.b64encode(b"another-secret-of-32-bytes-or-so").decode()
POST: dict[str, Any] = {
    "type": "order.submitted",
    "timestamp": "2026-11-21T18:05:00.000Z",
    "data": {
        "number": 12,
        "createdAt": "2026-11-21T18:05:00.000Z",
        "customerName": "Alice",
        "customerNumber": "+15550001111",
        "note": "ring twice",
        "currency": "EUR",
        "lines": [
            {
                "quantity": 2,
                "item": "Margherita",
                "size": "large",
                "price": "27.00",
                "note": "well done",
                "modifiers": [{"name": "extra cheese", "quantity": 2, "under": None}],
            },
            {
                "quantity": 1,
                "item": "Meal deal",
                "size": "",
                "price": "15.00",
                "note": "",
                "modifiers": [
                    {"name": "side salad", "quantity": 1, "under": None},
                    {"name": "ranch", "quantity": 1, "under": "side salad"},
                ],
            },
        ],
        "subtotal": "42.00",
        "tax": "4.20",
        "total": "46.20",
        "replaces": None,
    },
}


async def test_a_ticket_has_sizes_and_indented_modifiers() -> None:
    assert order_ticket(POST).splitlines() == [
        "==========================================",
        "ORDER 12                             18:05",
        "Alice +15550001111",
        "------------------------------------------",
        "2 x Margherita (large)               27.00",
        "    + 2 x extra cheese",
        '    "well done"',
        "1 x Meal deal                        15.00",
        "    + side salad",
        "        + ranch",
        "------------------------------------------",
        "NOTE: ring twice",
        "------------------------------------------",
        "Subtotal                             42.00",
        "Tax                                   4.20",
        "TOTAL                            46.20 EUR",
        "==========================================",
    ]


async def test_an_order_is_printed_once_for_each_message_id(capsys: pytest.CaptureFixture[str]) -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        assert [await post(kitchen.orders_url), await post(kitchen.orders_url)] == [200, 200]
        assert await post(kitchen.orders_url, message_id="another") == 200
    assert (len(kitchen.posts), kitchen.repeats) == (2, 1)
    assert capsys.readouterr().out.count("ORDER 12") == 2


@pytest.mark.parametrize(
    ("secret", "age_s", "status"), [(SECRET, 0, 200), (WRONG, 0, 403), (SECRET, 301, 403), (SECRET, -400, 403)]
)
async def test_only_a_recent_signature_by_the_secret_is_valid(secret: str, age_s: int, status: int) -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        assert await post(kitchen.orders_url, secret=secret, age_s=age_s) == status
        assert len(kitchen.posts) == (status == 200)


@pytest.mark.parametrize("secret", ["", "plain", "whsec_c2hvcnQ=", "whsec_not base64"])
async def test_a_secret_that_is_not_of_the_standard_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        KitchenSimulator(secret=secret)


async def test_the_body_is_signed_byte_for_byte() -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        assert await post(kitchen.orders_url, tampered=True) == 403


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"type":"order.submitted","data":{"number":1}}',
        b"no json",
        b'{"type":"order.submitted","data":{"number":1,"lines":[3]}}',
    ],
)
async def test_a_body_that_is_not_an_order_is_rejected_and_may_be_sent_again(body: bytes) -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        assert await post(kitchen.orders_url, body=body) == 422
        assert await post(kitchen.orders_url) == 200


APPOINTMENT: dict[str, Any] = {
    "type": "appointment.moved",
    "timestamp": "2026-11-21T18:05:00.000Z",
    "data": {
        "number": 3,
        "startsAt": "2026-12-04T08:00:00.000Z",
        "endsAt": "2026-12-04T08:30:00.000Z",
        "timeZone": "Europe/Berlin",
        "service": "Oil change",
        "resources": [{"id": 1, "name": "Mia", "kind": "staff"}, {"id": 2, "name": "Bay 1", "kind": "bay"}],
        "customerName": "Alice",
        "customerNumber": "+15550001111",
        "vehicle": "Ford",
        "note": "",
        "cancelReason": "",
    },
}


async def test_an_appointment_is_printed_as_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        assert await post(kitchen.orders_url, body=json.dumps(APPOINTMENT).encode()) == 200
        assert await post(kitchen.orders_url, body=json.dumps(APPOINTMENT).encode()) == 200
        assert await post(kitchen.orders_url, body=b'{"type":"appointment.x","data":{}}', message_id="another") == 422
    assert capsys.readouterr().out.splitlines()[1:-1] == [
        "MOVED 3",
        "2026-12-04 09:00 to 09:30",
        "Oil change",
        "Mia, Bay 1",
        "Alice +15550001111",
        "Ford",
    ]


async def test_an_injected_fault_fails_each_message_so_many_times() -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        url = f"{kitchen.base_url}/fault/fail=2/orders"
        assert [await post(url) for _ in range(4)] == [500, 500, 200, 200]
        assert (len(kitchen.posts), kitchen.repeats) == (1, 1)


async def test_a_hanging_kitchen_sends_no_response_and_stops_at_once() -> None:
    async with KitchenSimulator(secret=SECRET) as kitchen:
        with pytest.raises(TimeoutError):
            await post(f"{kitchen.base_url}/fault/hang/orders", timeout_s=0.2)


async def post(
    url: str,
    *,
    secret: str = SECRET,
    message_id: str = "m-1",
    age_s: int = 0,
    body: bytes = json.dumps(POST).encode(),
    tampered: bool = False,
    timeout_s: float = 5,
) -> int:
    sent_at_s = int(time.time()) - age_s
    content = f"{message_id}.{sent_at_s}.".encode() + body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": f"v1,{base64.b64encode(bytes(32)).decode()} v1,{base64.b64encode(digest).decode()}",
    }
    sent = body + b" " if tampered else body
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, data=sent, headers=headers) as response,
    ):
        return response.status
