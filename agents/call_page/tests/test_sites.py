"""Which websites an operator can name, and what the form says about every other entry."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from agents.call_page.models import CallAccess, CallPage, call_page_of
from agents.call_page.sites import MOST_SITES, read_site, read_sites
from agents.tests.builders import make_organization


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("HTTPS://WWW.Example.com/", "https://www.example.com"),
        ("https://www.example.com:443", "https://www.example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:5500/", "http://127.0.0.1:5500"),
    ],
)
def test_a_website_is_kept_as_browsers_spell_it(entry: str, origin: str) -> None:
    assert read_site(entry) == origin


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("https://www.example.com/menu", "is one page. A whole website may show the call page: enter https://www"),
        ("https://www.example.com?a=1", "enter https://www.example.com"),
        ("https://*.example.com", "stands for many websites"),
        ("*", "stands for many websites"),
        ("javascript:alert(1)", "is not the address of a website"),
        ("data:text/html,x", "is not the address of a website"),
        ("www.example.com", "is not the address of a website. Enter it like https://"),
        ("https://user:secret@example.com", "is not the address of a website"),
        ("https://example.com; script-src *", "stands for many websites"),
        ("https://example.com; script-src https://evil.example", "is not the address of a website"),
        ("https://example.com 'unsafe-inline'", "is not the address of a website"),
        ("http://www.example.com", "secure pages only. Enter https://www.example.com"),
        ("https://bücher.example", "as https://xn--bcher-kva.example. Enter it that way"),
        ("https://exаmple.com", "as https://xn--exmple-4nf.com. Enter it that way"),
        ("https://203.0.113.7", "has no name"),
        ("https://intranet", "has no name"),
        ("https://0x7f.1", "has no name"),
    ],
)
def test_every_other_entry_says_what_to_enter(entry: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read_site(entry)
    assert says in refused.value.messages[0]


def test_one_on_each_line_without_repetitions() -> None:
    text = "https://a.example\n\n  https://B.example/ \nhttps://b.example\n"
    assert read_sites(text) == ["https://a.example", "https://b.example"]
    with pytest.raises(ValidationError, match="At most 20"):
        read_sites("\n".join(f"https://site{number}.example" for number in range(MOST_SITES + 1)))


@pytest.mark.django_db
def test_without_an_entry_only_the_staff_may_call() -> None:
    page = call_page_of(make_organization())
    assert page.who_may_call == CallAccess.STAFF
    assert not page.is_public
    assert page.named_sites == ()


@pytest.mark.django_db
def test_a_page_inside_websites_needs_one() -> None:
    page = CallPage(organization=make_organization(), who_may_call=CallAccess.SITES)
    with pytest.raises(ValidationError, match="Enter the websites whose visitors may call"):
        page.full_clean()
    page.sites = "https://www.Example.com/\r\nhttps://shop.example"
    page.full_clean()
    assert page.named_sites == ("https://www.example.com", "https://shop.example")
