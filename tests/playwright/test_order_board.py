"""The order board in a browser: an order rings, is accepted, undone, refused and printed; a session that ran out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from agents.organizations.models import Organization
from sessions.orders.models import Order, OrderEvent, OrderState
from sessions.orders.services.direct_orders import DirectOrder, place_directly
from sessions.orders.services.states import move_order

from .conftest import CHROMIUM, PASSWORD, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
    pytest.mark.parametrize("desk", ["390 dark"], indirect=True),
]
SMALLEST_TARGET_PX = 48


def place(key: str, *, note: str = "", line_note: str = "") -> Order:
    """An order, as other software places one."""
    wish = DirectOrder(
        organization_id=Organization.objects.get().pk,
        idempotency_key=key,
        request_digest=key,
        lines=[{"item": "Tiramisu", "quantity": 2, "note": line_note}],
        customer_name="Ada <b>bold</b>",
        customer_number="+4915112345678",
        note=note,
    )
    return place_directly(wish, now=timezone.now())[0]


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """The board of a restaurant without other orders; what would open the printer's dialog is counted."""
    Order.objects.all().delete()
    desk.page.add_init_script("window.print = () => {}")
    yield desk.open("/admin/orders/board/")
    # The tests' server streams nothing and the page polls; one of the tests breaks requests.
    assert [each for each in desk.complaints if "Failed to load resource" not in each] == []


def card(page: Page, order: Order) -> Locator:
    return page.locator(f"#order-{order.pk}")


def press(page: Page, order: Order, name: str) -> None:
    card(page, order).get_by_role("button", name=name).click()


def in_column(page: Page, name: str, order: Order) -> None:
    expect(page.locator(f'[data-column="{name}"] #order-{order.pk}')).to_be_visible()


def test_an_order_rings_and_is_accepted_undone_refused_and_printed(page: Page, desk: Desk) -> None:
    page.get_by_role("button", name="Turn on sound").click()
    page.get_by_label("Print new orders here").check()
    order = place("a", note="Nut allergy!", line_note="no cocoa")
    in_column(page, "new", order)
    expect(card(page, order).locator(".note").first).to_contain_text("Allergy: Nut allergy!")
    expect(card(page, order)).to_contain_text("Ada <b>bold</b>")
    expect(card(page, order).get_by_role("link")).to_have_attribute("href", "tel:+4915112345678")
    page.wait_for_function("Number(document.getElementById('board').dataset.chimes) > 0")
    page.wait_for_function("document.body.dataset.printed === '1'")
    assert page.title().startswith("(1) ")
    assert desk.faults_of_access() == []
    sizes = page.locator("button:visible, a:visible, label.button:visible").evaluate_all(
        "all => all.map(each => [each.textContent.trim(), each.getBoundingClientRect().height])"
    )
    assert [size for size in sizes if size[1] < SMALLEST_TARGET_PX] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, order, "Accept")
    in_column(page, "accepted", order)
    expect(card(page, order)).to_contain_text("alice accepted it")
    assert not page.title().startswith("(")
    press(page, order, "Undo")
    in_column(page, "new", order)
    press(page, order, "Refuse")
    page.get_by_role("button", name="Refuse the order").click()
    expect(page.get_by_role("dialog")).to_contain_text("Choose a reason")
    page.get_by_label("We are too busy.").check()
    page.get_by_role("button", name="Refuse the order").click()
    in_column(page, "over", order)
    expect(card(page, order)).to_contain_text("We are too busy.")
    press(page, order, "Print")
    page.wait_for_function("document.body.dataset.printed === '2'")
    assert [event.after for event in OrderEvent.objects.all()] == ["accepted", "submitted", "refused"]


def test_what_comes_between_is_said_and_nothing_is_lost(page: Page) -> None:
    order = place("a")
    in_column(page, "new", order)
    # Somebody else is faster: this page has not seen it yet.
    page.route("**/feed*", lambda route: route.abort())
    expect(page.get_by_text("Offline: what you see may be out of date.")).to_be_visible()
    move_order(order, to=OrderState.ACCEPTED, by="mia")
    press(page, order, "Accept")
    expect(card(page, order).get_by_role("alert")).to_contain_text("mia accepted it")
    page.unroute("**/feed*")
    in_column(page, "accepted", order)
    Session.objects.all().delete()
    press(page, order, "Cancel")
    page.get_by_label("Another reason").fill("Power cut")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("dialog")).to_contain_text("Sign in again")
    with page.expect_popup() as opened:
        page.locator("#offline a").dispatch_event("click")
    popup = opened.value
    popup.get_by_label("Username").fill("alice")
    popup.get_by_label("Password").fill(PASSWORD)
    popup.get_by_role("button", name="Log in").click()
    popup.wait_for_url("**/admin/orders/board/**")
    popup.close()
    page.get_by_role("button", name="Cancel the order").click()
    in_column(page, "over", order)
    expect(card(page, order)).to_contain_text("Power cut")
