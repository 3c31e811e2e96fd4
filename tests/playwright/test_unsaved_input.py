"""Input into the admin is not lost: buttons save, leaving needs a confirmation, and a sign-in restores it."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Dialog, Page, expect

from agents.catalog.models import Item, Menu, ModifierGroup
from agents.configuration.models import Agent
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, PASSWORD, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
    # What is saved and restored depends on no width; a phone's screen hides more.
    pytest.mark.parametrize("desk", ["390 dark"], indirect=True),
]


def agent_page(desk: Desk, demo: Demo) -> Page:
    return desk.open(f"/admin/agents/agent/{demo.agent.pk}/change/")


def sign_in_again(page: Page) -> None:
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_publish_publishes_what_was_just_typed(desk: Desk, demo: Demo) -> None:
    page = agent_page(desk, demo)
    page.get_by_label("Greeting", exact=False).first.fill("Ciao, this is Bella Napoli.")
    page.locator("summary", has_text="Publish").click()
    page.get_by_label("What is new?").fill("Ciao")
    page.locator(".va-panel").get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 of Sofia is published")).to_be_visible()
    assert demo.agent.versions.get(number=2).greeting == "Ciao, this is Bella Napoli."


def test_enter_in_a_field_saves_and_presses_no_button(desk: Desk, demo: Demo) -> None:
    page = agent_page(desk, demo)
    page.get_by_label("Greeting", exact=False).first.fill("Ciao!")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    agent = Agent.objects.get(pk=demo.agent.pk)
    assert (agent.greeting, agent.versions.count(), agent.is_paused) == ("Ciao!", 1, False)


@pytest.mark.parametrize("is_left", [False, True])
def test_leaving_a_page_with_unsaved_input_needs_confirmation(desk: Desk, demo: Demo, is_left: bool) -> None:
    page, dialogs = agent_page(desk, demo), list[str]()

    def answer(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        if is_left:
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    page.get_by_label("Greeting", exact=False).first.fill("Ciao!")
    page.evaluate("document.querySelector('a[href=\"/admin/\"]').click()")
    if is_left:
        page.wait_for_url(f"{desk.address}/admin/")
    else:
        page.wait_for_timeout(500)  # for a page that must not come
        assert not page.url.endswith("/admin/")
    assert dialogs == ["beforeunload"]


def test_leaving_an_unchanged_page_needs_no_confirmation(desk: Desk, demo: Demo) -> None:
    page, dialogs = agent_page(desk, demo), list[str]()

    def answer(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.get_by_role("heading", name="Silence and time limits").click()
    page.goto(f"{desk.address}/admin/")
    assert dialogs == []


def test_what_was_typed_comes_back_after_the_session_has_ended(desk: Desk, demo: Demo) -> None:
    item = Item.objects.get(name="Tiramisu")
    page = desk.open(f"/admin/agents/item/{item.pk}/change/")
    page.get_by_label("Description").fill("With coffee")
    page.locator("#sizes-group .add-row a, #sizes-group a.add-row").first.click()
    page.locator("#id_sizes-0-name").fill("family")
    page.locator("#id_sizes-0-price").fill("15")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.wait_for_url("**/login/**")
    sign_in_again(page)
    expect(page.get_by_text("What you had typed is here again")).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("With coffee")
    expect(page.locator("#id_sizes-0-name")).to_have_value("family")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    item.refresh_from_db()
    assert item.description == "With coffee"
    assert sorted(size.name for size in item.sizes.all()) == ["family", "standard"]


def test_what_was_typed_comes_back_after_a_refused_form_token(desk: Desk, demo: Demo) -> None:
    page = agent_page(desk, demo)
    page.get_by_label("Greeting", exact=False).first.fill("Ciao!")
    other = page.context.new_page()
    other.goto(f"{desk.address}/admin/login/")
    page.context.clear_cookies()
    other.goto(f"{desk.address}/admin/login/")
    sign_in_again(other)
    other.wait_for_url(f"{desk.address}/admin/analytics/")
    other.close()
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.get_by_role("link", name="Open the form again").click()
    expect(page.get_by_text("What you had typed is here again")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert Agent.objects.get(pk=demo.agent.pk).greeting == "Ciao!"


def test_somebody_else_does_not_get_what_was_typed(desk: Desk, demo: Demo) -> None:
    from django.contrib.auth.models import User

    from agents.organizations.models import Membership

    bob = User.objects.create_user("bob", password=PASSWORD, is_staff=True)
    Membership.objects.create(organization=demo.organization, user=bob, role="manager")
    page = agent_page(desk, demo)
    page.get_by_label("Greeting", exact=False).first.fill("Ciao!")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.get_by_label("Username").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Greeting", exact=False).first).to_have_value(demo.agent.greeting)


def test_a_group_with_its_modifiers_is_made_from_within_a_half_filled_item(desk: Desk, demo: Demo) -> None:
    menu = Menu.objects.get(organization=demo.organization)
    page = desk.open(f"/admin/agents/item/add/?category={menu.categories.get(name='Drinks').pk}")
    page.locator("#id_name").fill("Iced Tea")
    page.locator("#id_price").fill("3.20")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Add modifier group").click()
    popup = opened.value
    popup.locator("#id_name").fill("Flavor")
    popup.locator("#modifiers-group .add-row a, #modifiers-group a.add-row").first.click()
    popup.locator("#id_modifiers-0-name").fill("peach")
    popup.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_label("Flavor")).to_be_checked()
    expect(page.locator("#id_name")).to_have_value("Iced Tea")
    page.locator("#sizes-group .add-row a, #sizes-group a.add-row").first.click()
    page.locator("#id_sizes-0-name").fill("large")
    page.locator("#id_sizes-0-price").fill("4.50")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    item = Item.objects.get(name="Iced Tea")
    assert list(item.modifier_groups.all()) == [ModifierGroup.objects.get(name="Flavor")]
    assert [size.name for size in item.sizes.all()] == ["standard", "large"]


@pytest.mark.parametrize(
    "path",
    [
        "agents/item/add/", "agents/modifier/add/", "agents/modifiergroup/add/", "agents/category/add/",
        "agents/menu/add/", "agents/agent/add/", "agents/transfertarget/add/", "telephony/phonenumber/add/",
        "agents/membership/add/", "agents/apikey/add/", "agents/realtimeendpoint/add/",
    ],
)  # fmt: skip
def test_every_required_field_is_reachable_and_every_error_leads_to_its_field(desk: Desk, path: str) -> None:
    page = desk.open(f"/admin/{path}")
    for label in page.locator("label.required").all():
        field = page.locator(f'[id="{label.get_attribute("for")}"]')
        if field.count() and field.get_attribute("type") != "hidden":
            assert field.is_visible() or label.is_visible(), label.inner_text()
    for field in page.locator("#content-main form input[type=text], #content-main form input[type=number]").all():
        if field.is_visible() and field.is_editable():
            field.fill("")
    page.get_by_role("button", name="Save", exact=True).first.click()
    links = page.locator(".va-errors a")
    expect(links.first).to_be_visible()
    for link in links.all():
        target = page.locator(f'[id="{(link.get_attribute("href") or "#").removeprefix("#")}"]')
        expect(target).to_be_visible()
