"""The page of the API: for anyone, whole without scripts, under the strict content policy."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.test import Client

from voiceapp.core.api.schema.document import document
from voiceapp.core.http.security_headers import STRICT


class Anchors(HTMLParser):
    """Collects ids, links within the page, and what a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        href = given.get("href") or ""
        self.links |= {href[1:]} if href.startswith("#") else set()
        if tag == "style" or "style" in given or (tag == "script" and "src" not in given):
            self.blocked.append(tag)
        self.blocked += [name for name in given if name.startswith("on")]
        self.blocked += [url for url in (given.get("src"), href) if url and re.match(r"(https?:)?//", url)]


def page(client: Client) -> tuple[str, Anchors]:
    response = client.get("/api/docs")
    assert response.status_code == 200
    assert response["Content-Security-Policy"] == STRICT
    anchors = Anchors()
    anchors.feed(response.content.decode())
    return response.content.decode(), anchors


def test_every_operation_has_an_anchor_of_its_own(client: Client) -> None:
    _, anchors = page(client)
    operations = {one["operationId"] for methods in document()["paths"].values() for one in methods.values()}
    assert operations <= set(anchors.ids)
    assert len(anchors.ids) == len(set(anchors.ids))
    assert anchors.links <= set(anchors.ids)


def test_nothing_on_it_would_be_blocked(client: Client) -> None:
    assert page(client)[1].blocked == []


def test_it_tells_fields_of_fields_choices_and_refusals(client: Client) -> None:
    text, _ = page(client)
    assert "<code>session.client_secret.value</code>" in text
    assert "<code>user-to-user</code>" in text
    assert "Active session already exists for this room" in text
    assert "`" not in re.sub(r"<pre.*?</pre>", "", text, flags=re.S)


def test_a_browser_that_has_it_is_not_sent_it_again(client: Client) -> None:
    tag = client.get("/api/docs")["ETag"]
    assert client.get("/api/docs", headers={"If-None-Match": tag}).status_code == 304
