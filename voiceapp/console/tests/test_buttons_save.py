"""A button never loses what was typed: it saves the page's form first, or does nothing and shows why."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Item, Modifier
from agents.configuration.models import Agent
from agents.organizations.models import ApiKey, Organization
from agents.organizations.roles import Role
from agents.tenant_admin.tenant import TenantAdmin

from .world import World

pytestmark = pytest.mark.embedded

ADMINS: list[TenantAdmin[Any]] = [each for each in admin.site._registry.values() if isinstance(each, TenantAdmin)]


class Page(HTMLParser):
    """What a browser would post: the fields of the page's main form, and the buttons that stand elsewhere."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.form_id, self.is_inside, self.fields = form_id, False, list[tuple[str, str]]()
        self.select, self.textarea = "", ""
        self.submits: list[dict[str, str | None]] = []
        self.forms: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        name, value = named.get("name") or "", named.get("value")
        if tag == "form":
            self.forms.append(named)
            self.is_inside = named.get("id") == self.form_id
        if tag == "button":
            self.submits.append(named)
        if not self.is_inside and named.get("form") != self.form_id:
            return
        kind = named.get("type", "text")
        if tag == "input" and name and (kind not in ("checkbox", "radio") or "checked" in named):
            self.fields.append((name, "on" if value is None and kind == "checkbox" else value or ""))
        if tag == "select":
            self.select = name
        if tag == "option" and "selected" in named and self.select:
            self.fields.append((self.select, value or ""))
        if tag == "textarea":
            self.textarea = name
            self.fields.append((name, ""))

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.fields[-1] = (self.textarea, self.fields[-1][1] + data.removeprefix("\n"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        if tag == "select":
            self.select = ""
        if tag == "textarea":
            self.textarea = ""

    def posted(self, **changed: Any) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, value in self.fields:
            if "__prefix__" not in name:
                data.setdefault(name, []).append(value)
        return data | changed


def url(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def open_page(client: Client, row: Any) -> Page:
    answer = client.get(url(type(row), "change", row.pk))
    assert answer.status_code == 200
    return Page(answer.content.decode(), f"{row._meta.model_name}_form")


def press(client: Client, row: Any, button: str, text: str = "", **changed: Any) -> str:
    page = open_page(client, row)
    data = page.posted(**{"_press": button, f"_press_text_{button}": text, **changed})
    return client.post(url(type(row), "change", row.pk), data, follow=True).content.decode()


@pytest.mark.parametrize("role", [Role.OWNER, Role.STAFF, Role.KITCHEN])
def test_every_button_of_every_form_belongs_to_the_form(role: Role, harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member(role))
    walked = 0
    for each in ADMINS:
        row = harbour.rows.get(each.model)
        answer = client.get(url(each.model, "change", row.pk)) if row is not None else None
        if answer is None or answer.status_code != 200:
            continue
        html = answer.content.decode()
        form_id = f"{each.model._meta.model_name}_form"
        page = Page(html, form_id)
        is_editable = 'name="_save"' in html
        pressed = [submit for submit in page.submits if submit.get("name") == "_press"]
        assert all(submit.get("form") == form_id for submit in pressed), each
        elsewhere = [form for form in page.forms if "/press/" in (form.get("action") or "")]
        assert not (is_editable and elsewhere), (each, elsewhere)
        # Enter in a field is the first submit button of the form: it saves.
        mine = [submit for submit in page.submits if submit.get("form") == form_id]
        assert not mine or mine[0].get("name") == "_save", each
        walked += len(pressed)
    assert walked > 3


def test_publish_takes_the_greeting_that_was_just_typed(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    page = press(client_of_alice, agent, "publish", "Sea", greeting="Ahoy!")
    assert "Version 2 of Harbour agent is published" in page
    version = agent.versions.get(number=2)
    assert (version.greeting, version.note) == ("Ahoy!", "Sea")
    agent.refresh_from_db()
    assert agent.greeting == "Ahoy!"


@pytest.mark.parametrize("button", ["publish", "pause"])
def test_a_button_on_a_form_with_an_error_does_nothing_and_keeps_what_was_typed(
    client_of_alice: Client, harbour: World, button: str
) -> None:
    agent = harbour[Agent]
    page = press(client_of_alice, agent, button, "Sea", greeting="Ahoy!", vad_threshold="7")
    assert "Nothing was saved, and “" in page
    assert "was not carried out" in page
    assert 'href="#id_vad_threshold"' in page
    assert 'value="Ahoy!"' in page
    assert button == "pause" or 'value="Sea"' in page
    agent.refresh_from_db()
    assert (agent.versions.count(), agent.is_paused, agent.greeting) == (1, False, "Hello! How can I help you?")


def test_pausing_resuming_and_taking_out_save_what_was_typed(client_of_alice: Client, harbour: World) -> None:
    agent, item, modifier = harbour[Agent], harbour[Item], harbour[Modifier]
    press(client_of_alice, agent, "pause", prompt="Be brief.")
    press(client_of_alice, agent, "resume", reprompt="Hello?")
    agent.refresh_from_db()
    assert (agent.prompt, agent.reprompt, agent.is_paused) == ("Be brief.", "Hello?", False)
    press(client_of_alice, item, "sold-out", description="With lemon")
    item.refresh_from_db()
    assert (item.description, item.is_out) == ("With lemon", True)
    press(client_of_alice, modifier, "sold-out-hours", aliases="extra")
    modifier.refresh_from_db()
    assert modifier.aliases == "extra"
    assert modifier.out_until is not None


def test_pausing_orders_and_rotating_a_key_save_what_was_typed(client_of_alice: Client, harbour: World) -> None:
    organization, key = harbour[Organization], harbour[ApiKey]
    press(client_of_alice, organization, "pause-orders", closed_message="Closed for lunch.")
    organization.refresh_from_db()
    assert (organization.closed_message, organization.takes_orders) == ("Closed for lunch.", False)
    assert "The new API key is va_" in press(client_of_alice, key, "rotate", name="Website")
    key.refresh_from_db()
    assert key.name == "Website"
    assert key.replaced_by_id is not None


def test_a_button_alone_leaves_one_entry_in_the_history(client_of_alice: Client, harbour: World) -> None:
    press(client_of_alice, harbour[Agent], "pause")
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Harbour agent is paused."]


def test_a_stranger_presses_nothing_through_the_form(client: Client, harbour: World, meadow: World) -> None:
    client.force_login(meadow.rows[type(meadow.organization)].memberships.get().user)
    answer = client.post(url(Agent, "change", harbour[Agent].pk), {"_press": "pause", "name": "x"})
    assert answer.status_code in (302, 404)
    assert not Agent.objects.get(pk=harbour[Agent].pk).is_paused


def test_one_tap_in_a_list_keeps_the_counts_that_were_typed_beside_it(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    other = Item.objects.create(category=item.category, name="Other", price=1)
    form: dict[str, Any] = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2}
    for index, row in enumerate((item, other)):
        form |= {
            f"form-{index}-id": row.pk,
            f"form-{index}-count_left": 4 + index,
            f"initial-form-{index}-count_left": "",
        }
    address = f"{url(Item, 'press', item.pk, 'sold-out')}?to=list"
    answer = client_of_alice.post(address, form, headers={"referer": "http://testserver/admin/agents/item/?q=Ot"})
    assert answer.headers["Location"] == "/admin/agents/item/?q=Ot"
    assert [Item.objects.get(pk=row.pk).count_left for row in (item, other)] == [4, 5]
    assert Item.objects.get(pk=item.pk).is_out


def test_one_tap_in_a_list_shows_a_count_that_cannot_be_saved(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": item.pk, "form-0-count_left": "-3",
            "initial-form-0-count_left": ""}  # fmt: skip
    answer = client_of_alice.post(f"{url(Item, 'press', item.pk, 'sold-out')}?to=list", form)
    assert answer.status_code == 200
    assert 'value="-3"' in answer.content.decode()
    assert not Item.objects.get(pk=item.pk).is_out
