"""Phone numbers as people write them, as carriers write callers, and the part of one that finds it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from voiceapp.core.countries import country_names, country_of
from voiceapp.core.phones.numbers import CallerKind, is_dialable, read_caller, read_number, show_number, validate_e164
from voiceapp.core.phones.search import number_parts, split_search


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("+49 30 555 0199", "", "+49305550199"),
        ("+49 30 555 0199", "US", "+49305550199"),
        ("+49 (0)30 / 555-0199", "DE", "+49305550199"),
        ("0049 30 5550199", "", "+49305550199"),
        ("(030) 555-0199", "DE", "+49305550199"),
        ("030/5550199", "DE", "+49305550199"),
        ("0176 55 55 12 34", "DE", "+4917655551234"),
        ("\u202a+49 30 5550199\u202c", "US", "+49305550199"),
        ("tel:+49-30-5550199", "DE", "+49305550199"),
        ("(212) 555-0199", "US", "+12125550199"),
        ("1 212 555 0199", "US", "+12125550199"),
        ("212.555.0199", "US", "+12125550199"),
        ("011 49 30 5550199", "US", "+49305550199"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("02 1234 5678", "IT", "+390212345678"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("03-1234-5678", "JP", "+81312345678"),
        ("０３０ ５５５０１９９", "DE", "+49305550199"),
    ],
)
def test_a_number_is_read_in_the_notation_of_its_region(typed: str, region: str, number: str) -> None:
    assert read_number(typed, region=region) == number


@pytest.mark.parametrize(
    ("typed", "region", "advice"),
    [
        ("030 555 0199", "", "+49 30 123456"),
        ("5550199", "DE", "area code"),
        ("176 55551234", "DE", "area code"),
        ("555-0199", "US", "(201) 555-0123"),
        ("12", "DE", "030 123456"),
        ("call me", "DE", "030 123456"),
        ("1-800-FLOWERS", "US", "digits"),
        ("030 555 0199 ext. 5", "DE", "extension"),
        ("+49", "DE", "030 123456"),
        ("+0 30 5550199", "DE", "030 123456"),
        ("+" + "1" * 30, "US", "(201) 555-0123"),
        ("sip:alice@example.com", "DE", "digits"),
    ],
)
def test_what_is_no_number_is_refused_with_what_to_write(typed: str, region: str, advice: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_number(typed, region=region)
    assert advice in refused.value.messages[0]


@pytest.mark.parametrize(
    "number", ["+0301234567", "+49 30123456", "+4930123456\n", "493012345678", "+49", "+1234567890123456"]
)
def test_e164_has_one_form(number: str) -> None:
    with pytest.raises(ValidationError):
        validate_e164(number)


@pytest.mark.parametrize(
    ("written", "kind", "number", "words"),
    [
        ("+4917655551234", CallerKind.NUMBER, "+4917655551234", "+49 176 55551234"),
        ("+12125550199", CallerKind.NUMBER, "+12125550199", "+1 212-555-0199"),
        ("", CallerKind.HIDDEN, "", "withheld"),
        ("anonymous", CallerKind.HIDDEN, "", "withheld"),
        ("Restricted", CallerKind.HIDDEN, "", "withheld"),
        ("unavailable", CallerKind.HIDDEN, "", "withheld"),
        ("+266696687", CallerKind.HIDDEN, "", "withheld"),
        ("+7378742833", CallerKind.HIDDEN, "", "withheld"),
        ("+86282452253", CallerKind.HIDDEN, "", "withheld"),
        ("sip:alice@shop.example.com;transport=tls", CallerKind.SIP, "", "SIP alice@shop.example.com"),
        ("sip:+4917655551234@trunk.example.com", CallerKind.SIP, "+4917655551234", "+49 176 55551234 (SIP)"),
        ("sips:+266696687@trunk.example.com", CallerKind.SIP, "", "SIP +266696687@trunk.example.com"),
        ("client:browser_7", CallerKind.CLIENT, "", "app user browser_7"),
        ("whatsapp:+4917655551234", CallerKind.WHATSAPP, "+4917655551234", "+49 176 55551234 (WhatsApp)"),
        ("6134", CallerKind.OTHER, "", "6134"),
    ],
)
def test_a_caller_is_known_by_what_the_carrier_writes(written: str, kind: CallerKind, number: str, words: str) -> None:
    caller = read_caller(written)
    assert (caller.kind, caller.number, caller.label) == (kind, number, words)
    assert show_number(written) == words


@pytest.mark.parametrize("number", ["+266696687", "+499001234567", "+442000", "+881612345678", "", "sip:a@b"])
def test_what_costs_dearly_or_is_no_number_is_never_rung(number: str) -> None:
    assert not is_dialable(number)


@pytest.mark.parametrize(
    "typed",
    ["0176", "0176 55", "+49 176", "+49176", "0049 176", "176 55", "55 51 234", "5555-1234", "(0176) 5555 1234",
     "+49 (0)176 5555 1234", "+49 0176"],
)  # fmt: skip
def test_any_part_of_a_number_in_any_notation_finds_it(typed: str) -> None:
    number, words = split_search(typed)
    assert words == ""
    assert any(part in "+4917655551234" for part in number_parts(number, regions=["US", "DE"]))
    assert not any(part in "+12125550199" for part in number_parts(number, regions=["US", "DE"]))


def test_words_beside_a_number_stay_words() -> None:
    assert split_search("Alice 0176 55") == ("0176 55", "Alice")
    assert split_search("17") == ("", "17")
    assert split_search("Bella Napoli") == ("", "Bella Napoli")


@pytest.mark.parametrize(
    ("zone", "currency", "country"),
    [("Europe/Berlin", "EUR", "DE"), ("America/New_York", "USD", "US"), ("US/Eastern", "USD", "US"),
     ("Asia/Calcutta", "", "IN"), ("UTC", "GBP", "GB"), ("UTC", "EUR", ""), ("Europe/Zurich", "EUR", "CH")],
)  # fmt: skip
def test_the_country_follows_from_the_time_zone_then_the_currency(zone: str, currency: str, country: str) -> None:
    assert country_of(zone, currency) == country
    assert country in country_names() or not country
