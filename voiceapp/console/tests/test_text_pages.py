"""Texts in the admin: what became of them and what to do, masked numbers, sending again, templates with a preview."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState, TextTemplate
from sessions.messages.texts.reasons import TextReason

from .world import World

pytestmark = pytest.mark.usefixtures("account")
NUMBER = "+4915112345678"


@pytest.fixture
def account(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "1" * 32, "token"


@pytest.fixture
def text(harbour: World) -> Text:
    text: Text = harbour[Text]
    Text.objects.update(
        number=NUMBER, body="Your appointment is booked.", state=TextState.FAILED, reason=TextReason.UNREACHABLE
    )
    TextSettings.objects.update(countries="DE")
    text.refresh_from_db()
    return text


def page(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(f"admin:voice_sessions_{name}", args=args)).content.decode()


def press(client: Client, text: Text) -> str:
    address = reverse("admin:voice_sessions_text_press", args=(text.pk, "resend"))
    return client.post(address, follow=True).content.decode()


def test_a_failed_text_says_why_and_what_to_do(client_of_alice: Client, text: Text) -> None:
    shown = page(client_of_alice, "text_change", text.pk)
    assert "The phone is switched off, out of reach, or its number is not in use." in shown
    assert "Send it again later, or call the customer." in shown
    assert "27 characters, 1 SMS (GSM-7)" in shown
    assert "+49 1511 2345678" in shown


def test_the_conversation_with_a_number_is_one_list(client_of_alice: Client, text: Text) -> None:
    assert text.call is not None
    Text.objects.create(
        organization=text.organization, direction="inbound", key="in", number=NUMBER, body="Thanks!",
        state=TextState.RECEIVED,
    )  # fmt: skip
    Text.objects.create(organization=text.organization, key="other", number="+4915100000000", body="Somebody else")
    response = client_of_alice.get(reverse("admin:voice_sessions_text_changelist"), {"number": NUMBER})
    shown = response.content.decode()
    assert "Thanks!" in shown
    assert "Your appointment is booked." in shown
    assert "Somebody else" not in shown


def test_staff_see_the_end_of_a_number_only(harbour: World, text: Text) -> None:
    client = Client()
    client.force_login(harbour.member("staff", "bob"))
    OptOut.objects.update(number=NUMBER)
    for shown in (page(client, "text_change", text.pk), page(client, "text_changelist"),
                  page(client, "optout_changelist"), page(client, "optout_change", harbour[OptOut].pk)):  # fmt: skip
        assert "…78" in shown
        assert "1234" not in shown
    probe = client.get(reverse("admin:voice_sessions_text_changelist"), {"number__gte": "+4915"})
    assert probe.status_code in (302, 400)


def test_a_text_is_sent_again_once(client_of_alice: Client, text: Text) -> None:
    assert "The text is sent again." in press(client_of_alice, text)
    press(client_of_alice, text)
    again = Text.objects.exclude(pk=text.pk).get()
    assert (again.state, again.body, again.number) == (TextState.WAITING, text.body, NUMBER)
    assert OutboxMessage.objects.filter(topic="text.send").count() == 1


@pytest.mark.parametrize(("state", "reason"), [
    (TextState.DELIVERED, ""), (TextState.WAITING, ""), (TextState.SENT, ""), (TextState.FAILED, TextReason.LANDLINE),
    (TextState.NOT_SENT, TextReason.CHANGED),
])  # fmt: skip
def test_a_text_that_may_have_arrived_or_cannot_is_not_sent_again(
    client_of_alice: Client, text: Text, state: str, reason: str
) -> None:
    Text.objects.update(state=state, reason=reason)
    assert "Send again" not in page(client_of_alice, "text_change", text.pk)
    press(client_of_alice, text)
    assert Text.objects.count() == 1


def test_an_opted_out_customer_gets_nothing_by_a_button(client_of_alice: Client, text: Text) -> None:
    OptOut.objects.update(number=NUMBER)
    assert "The customer has replied STOP." in press(client_of_alice, text)
    assert Text.objects.count() == 1


def test_a_template_is_shown_with_example_facts_and_its_size(client_of_alice: Client, harbour: World) -> None:
    template: TextTemplate = harbour[TextTemplate]
    TextTemplate.objects.filter(pk=template.pk).update(body="{name}: {link} “hello”")
    shown = page(client_of_alice, "texttemplate_change", template.pk)
    assert "Harbour House: https://example.com/menu “hello”" in shown
    assert "1 SMS (UCS-2). These characters leave only 70 to an SMS: “ ”" in shown


def test_an_unknown_placeholder_is_refused_with_those_there_are(
    client_of_alice: Client, harbour: World, alice: User
) -> None:
    template: TextTemplate = harbour[TextTemplate]
    address = reverse("admin:voice_sessions_texttemplate_change", args=(template.pk,))
    posted = {"organization": str(harbour.organization.pk), "kind": "menu_link", "language": "en", "body": "{price}"}
    shown = client_of_alice.post(address, posted).content.decode()
    assert "“{price}” is not known here. This text may have {name}, {phone}, {link}." in shown
    template.refresh_from_db()
    assert "price" not in template.body


def test_the_calls_page_shows_its_texts(client_of_alice: Client, harbour: World, text: Text) -> None:
    shown = page(client_of_alice, "call_change", harbour[Call].pk)
    assert "Your appointment is booked." in shown
    assert "Phone not reachable" in shown
