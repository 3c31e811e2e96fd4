"""Numbers as operators type, read, search and ring them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call
from sessions.orders.models import Order
from sessions.rooms.models import Participant, RoomToken
from telephony.twilio.models import PhoneNumber

from .world import World

MOBILE = "+4917655551234"


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def target_form(organization: Organization, number: str) -> dict[str, Any]:
    return {
        "organization": str(organization.pk), "name": "Chef", "slug": "chef", "number": number,
        "hours-TOTAL_FORMS": "0", "hours-INITIAL_FORMS": "0",
    }  # fmt: skip


@pytest.fixture
def berlin(harbour: World) -> Organization:
    Organization.objects.filter(pk=harbour.organization.pk).update(time_zone="Europe/Berlin")
    harbour.organization.refresh_from_db()
    return harbour.organization


@pytest.mark.parametrize("typed", ["+49 30 555 0199", "(030) 555-0199", "0049 30 5550199", "+49 (0)30 / 555 01 99"])
def test_a_number_is_typed_in_any_notation_and_kept_as_e164(
    typed: str, berlin: Organization, client_of_alice: Client
) -> None:
    client_of_alice.post(url(TransferTarget, "add"), target_form(berlin, typed))
    line = {"organization": str(berlin.pk), "number": typed, "label": "Bar", "is_active": "on"}
    client_of_alice.post(url(PhoneNumber, "add"), line)
    assert TransferTarget.objects.get(slug="chef").number == "+49305550199"
    assert PhoneNumber.objects.get(label="Bar").number == "+49305550199"


@pytest.mark.parametrize(
    ("country", "time_zone", "typed", "number"),
    [
        ("", "America/New_York", "(212) 555-0199", "+12125550199"),
        ("GB", "Europe/Berlin", "020 7946 0958", "+442079460958"),
        ("", "Europe/Rome", "02 1234 5678", "+390212345678"),
    ],
)
def test_the_organizations_country_says_whose_notation_it_is(
    country: str, time_zone: str, typed: str, number: str, harbour: World, client_of_alice: Client
) -> None:
    Organization.objects.filter(pk=harbour.organization.pk).update(country=country, time_zone=time_zone)
    client_of_alice.post(url(TransferTarget, "add"), target_form(harbour.organization, typed))
    assert TransferTarget.objects.get(slug="chef").number == number


@pytest.mark.parametrize("typed", ["030", "call me", "555 01 99", "0900 123456"])
def test_an_invalid_number_is_refused_with_a_message(typed: str, berlin: Organization, client_of_alice: Client) -> None:
    page = client_of_alice.post(url(TransferTarget, "add"), target_form(berlin, typed)).content.decode()
    assert "030 123456" in page or "cannot be called" in page
    assert not TransferTarget.objects.filter(slug="chef").exists()


def test_a_number_that_is_there_already_is_found_in_another_notation(
    berlin: Organization, harbour: World, client_of_alice: Client
) -> None:
    again = {"organization": str(berlin.pk), "number": "030 23125101", "is_active": "on"}
    assert harbour[PhoneNumber].number == "+493023125101"
    page = client_of_alice.post(url(PhoneNumber, "add"), again).content.decode()
    assert "already exists" in page
    assert PhoneNumber.objects.count() == 1


def test_a_country_that_does_not_exist_is_refused(harbour: World, client_of_alice: Client) -> None:
    organization = harbour.organization
    organization.country = "XX"
    with pytest.raises(Exception, match="XX"):
        organization.full_clean()


def test_forms_and_lists_show_the_number_formatted(harbour: World, client_of_alice: Client) -> None:
    number, target = harbour[PhoneNumber], harbour[TransferTarget]
    for page in (url(PhoneNumber, "changelist"), url(PhoneNumber, "change", number.pk)):
        assert "+49 30 23125101" in client_of_alice.get(page).content.decode()
    for page in (url(TransferTarget, "changelist"), url(TransferTarget, "change", target.pk)):
        assert "+49 30 23125001" in client_of_alice.get(page).content.decode()


def test_a_form_saved_as_it_was_shown_changes_no_number(
    berlin: Organization, harbour: World, client_of_alice: Client
) -> None:
    target = harbour[TransferTarget]
    form = target_form(berlin, "+49 30 23125001") | {"slug": "desk", "hours-TOTAL_FORMS": "0"}
    client_of_alice.post(url(TransferTarget, "change", target.pk), form)
    target.refresh_from_db()
    assert (target.name, target.number) == ("Chef", "+493023125001")
    assert "Number" not in str(client_of_alice.get(url(TransferTarget, "history", target.pk)).content)


@pytest.mark.parametrize("typed", ["0176", "+49 176", "176 55", "(0176) 5555-1234", "0049 176", "5551234"])
def test_calls_and_orders_are_found_by_any_part_of_the_number(
    typed: str, berlin: Organization, harbour: World, client_of_alice: Client
) -> None:
    Call.objects.filter(pk=harbour[Call].pk).update(caller_number=MOBILE)
    Order.objects.filter(pk=harbour[Order].pk).update(customer_number=MOBILE)
    for model in (Call, Order):
        found = client_of_alice.get(url(model, "changelist"), {"q": typed}).content.decode()
        assert str(harbour[model].pk) in found
        lost = client_of_alice.get(url(model, "changelist"), {"q": "0177 9"}).content.decode()
        assert str(harbour[model].pk) not in lost


def test_a_name_and_a_part_of_the_number_together_narrow_the_search(
    berlin: Organization, harbour: World, client_of_alice: Client
) -> None:
    Order.objects.filter(pk=harbour[Order].pk).update(customer_number=MOBILE)
    order = str(harbour[Order].pk)
    assert order in client_of_alice.get(url(Order, "changelist"), {"q": "Harbour 0176 55"}).content.decode()
    assert order not in client_of_alice.get(url(Order, "changelist"), {"q": "Nobody 0176 55"}).content.decode()


@pytest.mark.parametrize("typed", ["0302312", "+49 30 2312", "(030) 231"])
def test_lines_and_targets_are_found_by_any_part(
    typed: str, berlin: Organization, harbour: World, client_of_alice: Client
) -> None:
    for model in (PhoneNumber, TransferTarget):
        assert str(harbour[model].pk) in client_of_alice.get(url(model, "changelist"), {"q": typed}).content.decode()


def test_who_sees_numbers_masked_finds_whole_ones_only(berlin: Organization, harbour: World) -> None:
    Call.objects.filter(pk=harbour[Call].pk).update(caller_number=MOBILE)
    client = client_of(harbour.member("staff"))
    call = str(harbour[Call].pk)
    assert call not in client.get(url(Call, "changelist"), {"q": "0176 55"}).content.decode()
    assert call in client.get(url(Call, "changelist"), {"q": "0176 5555 1234"}).content.decode()


@pytest.mark.parametrize("role", ["owner", "manager", "staff", "kitchen"])
def test_members_who_change_order_states_can_call_the_customer(role: str, harbour: World) -> None:
    client, order = client_of(harbour.member(role)), harbour[Order]
    for page in ("change", "ticket"):
        text = client.get(url(Order, page, order.pk)).content.decode()
        assert f'href="tel:{order.customer_number}"' in text
        assert "+49 30 23125201" in text


def test_who_only_reads_orders_is_shown_no_number(harbour: World) -> None:
    client, order = client_of(harbour.member("viewer")), harbour[Order]
    for page in ("change", "ticket"):
        text = client.get(url(Order, page, order.pk)).content.decode()
        assert "tel:" not in text
        assert "23125201" not in text
        assert "…01" in text


@pytest.mark.parametrize("written", ["", "anonymous", "+266696687", "client:browser_7", "sip:alice@example.com"])
def test_an_order_without_a_number_offers_none_to_ring(written: str, harbour: World, client_of_alice: Client) -> None:
    Order.objects.filter(pk=harbour[Order].pk).update(customer_number=written)
    for page in ("change", "ticket"):
        assert "tel:" not in client_of_alice.get(url(Order, page, harbour[Order].pk)).content.decode()


@pytest.mark.parametrize(
    ("written", "words", "rings"),
    [
        (MOBILE, "+49 176 55551234", f"tel:{MOBILE}"),
        (f"whatsapp:{MOBILE}", "+49 176 55551234 (WhatsApp)", f"tel:{MOBILE}"),
        ("sip:alice@example.com;transport=tls", "SIP alice@example.com", ""),
        ("client:browser_7", "app user browser_7", ""),
        ("+266696687", "withheld", ""),
        ("unavailable", "withheld", ""),
    ],
)
def test_the_page_of_a_call_says_who_called(
    written: str, words: str, rings: str, harbour: World, client_of_alice: Client
) -> None:
    Call.objects.filter(pk=harbour[Call].pk).update(caller_number=written)
    page = client_of_alice.get(url(Call, "change", harbour[Call].pk)).content.decode()
    assert words in page
    assert ("tel:" in page) == bool(rings)
    assert rings in page
    assert words in client_of_alice.get(url(Call, "changelist")).content.decode()


def test_the_history_shows_both_numbers_formatted(
    berlin: Organization, harbour: World, client_of_alice: Client
) -> None:
    target = harbour[TransferTarget]
    form = target_form(berlin, "030 555 01 99") | {"slug": "desk", "name": target.name}
    client_of_alice.post(url(TransferTarget, "change", target.pk), form)
    page = client_of_alice.get(url(TransferTarget, "history", target.pk)).content.decode()
    assert "+49 30 23125001 → +49 30 5550199" in page


def test_a_phone_in_a_room_is_masked_for_those_who_see_masked_numbers(harbour: World) -> None:
    call, number = harbour[Call], "+49 30 12340987"
    Call.objects.filter(pk=call.pk).update(kind="room", callee="+493012340987")
    call.events.create(kind="participant_joined", at=call.created_at, detail={"who": number})
    Participant.objects.filter(call=call).update(identity="sip_+493012340987", name=number)
    RoomToken.objects.filter(call=call).update(identity="sip_+493012340987", name=number, subject="+493012340987")
    pages = [url(model, page, *key) for model in (Participant, RoomToken) for page, key in (
        ("changelist", ()), ("change", (harbour[model].pk,))
    )]  # fmt: skip
    pages.append(url(Call, "change", call.pk))
    for role, sees in (("viewer", False), ("manager", True)):
        client = client_of(harbour.member(role))
        for page in pages:
            text = client.get(page).content.decode()
            assert ("12340987" in text) == sees, (role, page)
            assert "87" in text
