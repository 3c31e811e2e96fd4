"""The page of the API: for anyone, under the strict content policy. Its content: tests/playwright/test_api_docs.py."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.contrib.staticfiles import finders
from django.test import Client

from voiceapp.core.http.security_headers import STRICT


class Markup(HTMLParser):
    """Collects what a strict policy would block, and the files that the page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given or (tag == "script" and "src" not in given):
            self.blocked.append(tag)
        self.blocked += [name for name in given if name.startswith("on")]
        urls = [url for url in (given.get("src"), given.get("href")) if url]
        self.blocked += [url for url in urls if re.match(r"(https?:)?//", url)]
        self.loaded += urls if tag in ("script", "link") else []


def page(client: Client) -> tuple[str, Markup]:
    response = client.get("/api/docs")
    assert response.status_code == 200
    assert response["Content-Security-Policy"] == STRICT
    markup = Markup()
    markup.feed(response.content.decode())
    return response.content.decode(), markup


def test_nothing_on_it_would_be_blocked(client: Client) -> None:
    assert page(client)[1].blocked == []


def test_every_file_that_it_loads_is_there(client: Client) -> None:
    loaded = page(client)[1].loaded
    static = [url.partition("/static/")[2] for url in loaded if "/static/" in url]
    assert [name for name in static if finders.find(name) is None] == []
    script = client.get(next(url for url in loaded if url not in static and "script" in url.partition("?")[2]))
    assert (script.status_code, script["Content-Type"]) == (200, "application/javascript")
    assert b"/api/schema" in script.content


def test_its_script_is_stored_nowhere_for_it_holds_a_token(client: Client) -> None:
    script = client.get("/api/docs?script=")
    assert "csrftoken" in script.cookies
    assert script["Cache-Control"] == "no-store"


def test_a_browser_that_has_it_is_not_sent_it_again(client: Client) -> None:
    tag = client.get("/api/docs")["ETag"]
    assert client.get("/api/docs", headers={"If-None-Match": tag}).status_code == 304
