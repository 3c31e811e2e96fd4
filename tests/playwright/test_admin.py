"""The admin in a real browser: nothing overflows, nothing complains, and what people do every day works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from agents.catalog.models import Item
from sessions.calls.models import Call
from sessions.orders.models import Order
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]


def pages(demo: Demo, call: Call) -> list[str]:
    order = call.orders.first()
    item = Item.objects.get(name="Margherita")
    assert order is not None
    return [
        "/admin/",
        "/admin/voice_sessions/call/",
        "/admin/voice_sessions/call/?state=completed&cost_from=cheap",
        "/admin/voice_sessions/call/end-reasons/",
        f"/admin/voice_sessions/call/{call.pk}/change/",
        "/admin/voice_sessions/order/",
        f"/admin/voice_sessions/order/{order.pk}/change/",
        "/admin/agents/item/",
        f"/admin/agents/item/{item.pk}/change/",
        f"/admin/agents/menu/{item.category.menu_id}/change/",
        f"/admin/agents/category/{item.category_id}/change/",
        f"/admin/agents/modifiergroup/{item.modifier_groups.all()[0].pk}/change/",
        f"/admin/agents/agent/{demo.agent.pk}/change/",
        f"/admin/agents/agentversion/{demo.agent.published_version_id}/change/",
        f"/admin/agents/organization/{demo.organization.pk}/change/",
        f"/admin/telephony/phonenumber/{demo.number.pk}/change/",
        "/admin/agents/membership/add/",
        "/admin/voice_sessions/outboxmessage/",
    ]


@pytest.mark.timeout(240)
def test_every_page_is_quiet_fits_and_can_be_read_by_everybody(desk: Desk, demo: Demo, call: Call) -> None:
    desk.page.context.clear_cookies()
    desk.sign_in()
    assert desk.complaints == []
    for path in pages(demo, call):
        page = desk.open(path)
        assert desk.complaints == [], path
        assert desk.faults_of_access() == [], path
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.evaluate("window.innerWidth"), path


def test_an_item_is_out_with_one_tap_and_back_with_another(desk: Desk) -> None:
    page = desk.open("/admin/agents/item/?q=Tiramisu")
    page.get_by_role("button", name="Sold out: Tiramisu").click()
    expect(page.get_by_text("Tiramisu is sold out until somebody marks it as available.")).to_be_visible()
    assert Item.objects.get(name="Tiramisu").is_out
    page.get_by_role("button", name="Available: Tiramisu").click()
    expect(page.get_by_text("Tiramisu is available again.")).to_be_visible()
    assert not Item.objects.get(name="Tiramisu").is_out


def test_an_agent_is_published_with_the_keyboard_alone(desk: Desk, demo: Demo) -> None:
    page = desk.open(f"/admin/agents/agent/{demo.agent.pk}/change/")
    page.locator("summary", has_text="Publish").focus()
    page.keyboard.press("Enter")
    page.get_by_label("What is new?").fill("Friendlier")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Version 2 of Sofia is published")).to_be_visible()
    assert demo.agent.versions.get(number=2).note == "Friendlier"


def test_a_voice_is_chosen_from_a_list_or_typed_with_the_keyboard(desk: Desk, demo: Demo) -> None:
    page = desk.open(f"/admin/agents/agent/{demo.agent.pk}/change/")
    voice, other = page.get_by_label("Voice", exact=True), page.get_by_label("Other voice")
    expect(other).to_be_hidden()
    voice.focus()
    page.keyboard.type("Other")
    expect(other).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("voice_abc123")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    demo.agent.refresh_from_db()
    assert demo.agent.voice == "voice_abc123"
    assert desk.complaints == []


def test_a_call_is_read_from_its_conversation_to_its_order(desk: Desk, call: Call) -> None:
    page = desk.open(f"/admin/voice_sessions/call/{call.pk}/change/")
    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    expect(page.get_by_role("img", name="Turn 1:")).to_be_visible()
    order = Order.objects.filter(call=call).first()
    assert order is not None
    page.get_by_role("link", name=f"Order No. {order.number}").click()
    expect(page.get_by_role("cell", name=f"{order.total} EUR")).to_be_visible()


def test_the_order_of_sizes_is_changed_by_dragging(desk: Desk) -> None:
    if desk.page.viewport_size and desk.page.viewport_size["width"] < 1000:
        pytest.skip("dragging is tried where there is a mouse")
    item = Item.objects.get(name="Margherita")
    page = desk.open(f"/admin/agents/item/{item.pk}/change/")
    handles = page.locator("#sizes-group .material-symbols-outlined", has_text="drag_indicator")
    handles.nth(2).scroll_into_view_if_needed()
    names = page.locator("#sizes-group input[name$='-name']:not([name*='__prefix__'])")
    drag_until(page, handles.nth(0), handles.nth(2), lambda: names.nth(2).input_value() == "small")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert list(item.sizes.values_list("name", flat=True)) == ["medium", "large", "small"]


def drag_until(page: Page, begin: Locator, end: Locator, is_there: Callable[[], bool]) -> None:
    """As a person drags: moves a little to and fro around the target, and lets go when the row is seen to be there.

    Rows slide aside briefly after each move and ignore the pointer meanwhile.
    """
    start, target = begin.bounding_box(), end.bounding_box()
    assert start is not None
    assert target is not None
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    for moves in range(20):
        page.mouse.move(target["x"] + 5, target["y"] + (20 if moves % 2 else -10), steps=6)
        page.wait_for_timeout(250)
        if is_there():
            break
    page.mouse.up()


def test_the_greeting_of_a_version_can_be_heard(desk: Desk, demo: Demo) -> None:
    version = demo.agent.published_version
    assert version is not None
    audio = bytes(range(256)) * 32
    demo.organization.kept_greetings.update(state="done", done_at=timezone.now(), audio=audio)
    page = desk.open(f"/admin/agents/agentversion/{version.pk}/change/")
    expect(page.get_by_text("Ready: 1.0 s")).to_be_visible()
    play = "async sound => { sound.muted = true; await sound.play(); return sound.duration }"
    assert page.get_by_label("Greeting", exact=True).evaluate(play) == len(audio) / 8_000
    assert desk.complaints == []
