"""Every page of the admin speaks the terms of operators, and shows numbers without the noise of floats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions.calls.models import Call, CallEvent

from .world import World

pytestmark = pytest.mark.embedded

RETIRED = re.compile(
    r"\b(House|Evidence|Was told|Words spoken|Passes? to|Companies|Rang|Began|going on|Ended because|Callers meet|"
    r"answer(s|ed)? again|One tap|Out now|Protects|Most per order|orders address|mended|Local companies|"
    r"work(ed)? off|given up|organi[s]ation|Outbox|dead|colour|whoever|no longer any|heard ms|promise|"
    r"in the place of|beside it|Count left|Asked with|Every day|Passs|User To User|relationships?|yielded|"
    r"apps and models|Select \w+( \w+)? to (change|view))\b",
    re.IGNORECASE,
)
# “Is default”, “Vad silence ms”, “Orders url”: the names of columns, not labels.
COLUMN_NAME = re.compile(r"^(Is \w+|.*\b(Vad|Url|Sid|Id)\b.*|[A-Za-z ]+ (ms|s))( \*)?$")
FLOAT_NOISE = re.compile(r"\d\.\d{7,}")
SHAPES = {"label", "th", "legend", "h1", "h2", "h3", "dt", "button", "title", "summary"}
SILENT = {"script", "style", "template", "pre", "textarea"}
VOID = {"input", "br", "img", "meta", "link", "hr", "path", "rect"}


class Texts(HTMLParser):
    """The visible texts of a page, each with the element it stands in; icons and payloads left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in ("aria-label", "title", "placeholder"):
            if given.get(name):
                self.found.append((name, str(given[name])))
        if tag not in VOID:
            is_icon = "material-symbols-outlined" in (given.get("class") or "")
            self._open.append((tag, is_icon or tag in SILENT))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not any(is_silent for _, is_silent in self._open):
            element = next((name for name, _ in reversed(self._open) if name in SHAPES), "")
            self.found.append((element, text))


def addresses(world: World) -> Iterator[str]:
    yield from ("/admin/", "/admin/setup/", "/admin/password_change/")
    for step in ("business", "hours", "menu", "person", "number", "agent", "publish", "call"):
        yield reverse("setup-step", args=(world.organization.pk, step))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_changelist") + "?q=nothing-has-this-name"
        yield reverse(f"{name}_add") + f"?organization={world.organization.pk}"
        row = world.rows.get(model)
        if row is not None:
            for page in ("change", "history", "delete"):
                yield reverse(f"{name}_{page}", args=(row.pk,))


@pytest.fixture
def noisy(harbour: World) -> World:
    """With floats as they come from sums, and an event of which a field has a unit."""
    call = harbour[Call]
    usage = {"transcription": {"seconds": 13.600000000000001}}
    Call.objects.filter(pk=call.pk).update(usage=usage, state="failed")
    for kind, detail in (
        ("interrupted", {"turn": 1, "heard_ms": 960}),
        ("level_measured", {"level_db": 0.1 + 0.2, "wait_ms": 1200}),
    ):
        CallEvent.objects.create(call=call, kind=kind, at=timezone.now(), detail=detail)
    harbour.member("manager")
    return harbour


def test_no_page_shows_a_retired_term_a_column_name_or_a_noisy_number(noisy: World, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    walked = 0
    for address in addresses(noisy):
        response = client.get(address, follow=True)
        if response.status_code == 403:
            continue
        walked += 1
        for element, text in Texts(response.content.decode()).found:
            shown = text.replace("Harbour House", "")
            assert not RETIRED.search(shown), (address, text)
            assert not FLOAT_NOISE.search(shown), (address, text)
            assert element not in SHAPES or not COLUMN_NAME.match(shown), (address, text)
    assert walked > 100


def test_the_sidebar_has_these_sections(harbour: World, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    groups = client.get("/admin/").context["sidebar_navigation"]
    assert [group["title"] for group in groups] == ["", "Operations", "Menu", "Telephony", "Settings", "System"]


def test_figures_of_a_call_are_written_for_people(noisy: World, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("admin:voice_sessions_call_change", args=(noisy[Call].pk,))).content.decode()
    assert "The caller interrupted the agent in turn 1, after 0.96 s of its answer." in page
    assert "Level measured: level db 0.3, wait 1,200 ms" in page
    assert ">13.6<" in page
