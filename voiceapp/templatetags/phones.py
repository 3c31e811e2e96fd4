"""Phone numbers in a page."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voiceapp.core.phones.numbers import read_caller, show_number

register = template.Library()


@register.filter
def phone(number: str) -> str:
    """`+49 30 5550199`."""
    return show_number(number)


@register.filter
def phone_link(number: str) -> SafeString | str:
    """A link that rings the number, where there is one; else what is known in its place."""
    caller = read_caller(number)
    if not caller.number:
        return caller.label
    return format_html('<a class="va-link va-nowrap" href="tel:{}">{}</a>', caller.number, caller.label)
