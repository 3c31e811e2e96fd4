"""What is announced in one thread or process reaches those who follow on an event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncRequestFactory, Client, RequestFactory
from pytest_django import Settings

from voiceapp.core.feeds import streaming
from voiceapp.core.feeds.announcing import announce_change
from voiceapp.core.feeds.following import feed_threads, follow_changes
from voiceapp.core.feeds.models import FeedTopic
from voiceapp.core.feeds.streaming import Event, event_stream, requires_sign_in
from voiceapp.core.feeds.versions import KEPT_FOR_S, purge_topics
from voiceapp.core.serving import serving

pytestmark = pytest.mark.django_db(transaction=True)
reads: list[frozenset[str]] = []
state: dict[str, str] = {}


def read_state(changed: frozenset[str]) -> list[Event]:
    reads.append(changed)
    if "refused" in state:
        raise PermissionDenied
    return [Event("entry", text, id=key) for key, text in state.items()]


@pytest.fixture(autouse=True)
def begin() -> Any:
    reads.clear()
    state.clear()
    yield
    feed_threads.close()


def signed_in(name: str) -> tuple[User, Client]:
    user = User.objects.create_user(name)
    client = Client()
    client.force_login(user)
    return user, client


async def open_stream(name: str = "alice", *, shared_as: str = "") -> AsyncIterator[dict[str, Any]]:
    """The events of a stream of two topics, as its browser would read them."""
    user, client = await sync_to_async(signed_in)(name)
    request = AsyncRequestFactory().get("/feed")
    request.user, request.session = user, client.session
    response = event_stream(request, ["orders:1", "orders:2"], read_state, shared_as=shared_as)
    assert isinstance(response, StreamingHttpResponse)
    async for part in cast("AsyncIterator[bytes]", response.streaming_content):
        fields = dict(line.split(": ", 1) for line in part.decode().strip().split("\n"))
        if "event" in fields:
            yield {"name": fields["event"], "data": json.loads(fields["data"]), "id": fields.get("id", "")}


async def received(stream: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    async with asyncio.timeout(10):
        return await anext(stream)


@pytest.mark.asyncio
async def test_a_stream_sends_everything_first_and_then_what_has_changed() -> None:
    state.update(a="new", b="new")
    stream = open_stream()
    assert [(await received(stream))["id"] for _ in "ab"] == ["a", "b"]
    state["b"] = "accepted"
    await sync_to_async(announce_change)("orders:2")
    assert await received(stream) == {"name": "entry", "data": "accepted", "id": "b"}
    await stream.aclose()  # type: ignore[attr-defined]


@pytest.mark.asyncio
async def test_streams_of_one_name_share_their_reads() -> None:
    state.update(a="new")
    streams = [open_stream(f"user-{number}", shared_as="board") for number in range(5)]
    await asyncio.gather(*map(received, streams))
    await asyncio.sleep(0.5)  # all of them wait again
    reads.clear()
    state["a"] = "accepted"
    await sync_to_async(announce_change)("orders:1")
    assert [each["data"] for each in await asyncio.gather(*map(received, streams))] == ["accepted"] * 5
    assert len(reads) == 1
    for each in streams:
        await each.aclose()  # type: ignore[attr-defined]


@pytest.mark.asyncio
async def test_a_stream_ends_with_its_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BEAT_S", 0.05)
    stream = open_stream()
    assert (await received(stream))["name"] == "beat"
    await sync_to_async(Session.objects.all().delete)()
    names = [event async for event in stream]
    assert names[-1] == {"name": "end", "data": {"why": "signed_out"}, "id": ""}


@pytest.mark.asyncio
async def test_a_stream_ends_when_the_process_drains_and_when_access_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    state.update(a="new")
    draining, refused = open_stream("alice"), open_stream("bob")
    await received(draining), await received(refused)
    state["refused"] = "yes"
    await sync_to_async(announce_change)("orders:1")
    assert (await received(refused))["data"] == {"why": "no_access"}
    monkeypatch.setattr(serving, "is_draining", True)
    assert [event["data"] async for event in draining][-1]["why"] in ("again", "no_access")
    assert [event["data"] async for event in open_stream("carol")] == [{"why": "again"}]


@pytest.mark.asyncio
async def test_beyond_its_bound_a_page_is_told_to_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "STREAMS_PER_TOPIC", 1)
    state.update(a="new")
    first = open_stream("alice")
    await received(first)
    assert [event["data"] async for event in open_stream("bob")] == [{"why": "crowded"}]
    await first.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        while streaming._streams_of.total():
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_change_is_announced_when_its_transaction_is_committed() -> None:
    def change() -> None:
        with transaction.atomic():
            announce_change("orders:2")
            announce_change("orders:2")

    async with follow_changes(["orders:1", "orders:2"]) as changes:
        assert await changes.next(within_s=10) == {"orders:1", "orders:2"}
        while await changes.next(within_s=0.5):
            pass  # what is new to this process counts as changed once
        await sync_to_async(change)()
        assert await changes.next(within_s=10) == {"orders:2"}


def test_a_transaction_announces_a_topic_once_and_one_that_is_undone_never(settings: Settings) -> None:
    settings.REDIS_URL = ""
    with transaction.atomic():
        announce_change("orders:1")
        announce_change("orders:1")
        try:
            with transaction.atomic():
                announce_change("orders:2")
                raise ValueError
        except ValueError:
            pass
    assert list(FeedTopic.objects.values_list("topic", "version")) == [("orders:1", 1)]


def test_polling_gives_the_same_events_and_says_why_not() -> None:
    state.update(a="new")
    request = RequestFactory().get("/feed?poll=1")
    assert body_of(event_stream(request, ["orders:1"], read_state)) == {
        "events": [{"name": "entry", "data": "new", "id": "a"}]
    }
    state["refused"] = "yes"
    assert event_stream(request, ["orders:1"], read_state).status_code == 403
    request.user = AnonymousUser()
    signed_out = requires_sign_in(lambda request: HttpResponse())(request)
    assert signed_out.status_code == 401
    assert "Sign in again" in body_of(signed_out)["message"]


def body_of(response: HttpResponseBase) -> Any:
    assert isinstance(response, HttpResponse)
    return json.loads(response.content)


def test_topics_of_calls_that_are_over_are_deleted() -> None:
    FeedTopic.objects.create(topic="call:old", version=3, changed_at_s=0)
    FeedTopic.objects.create(topic="call:new", version=3, changed_at_s=2**40 + KEPT_FOR_S)
    assert purge_topics() == 1
    assert [each.topic for each in FeedTopic.objects.all()] == ["call:new"]
