"""Server-sent events of a feed, and the same as JSON for browsers that poll."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial, wraps
from importlib import import_module
from typing import Any, Concatenate, ParamSpec, cast

import structlog
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.crypto import constant_time_compare

from voiceapp.core.transactions import release_connections

from .following import Changes, Hub, feed_threads, follow_changes, hub_here

log = structlog.get_logger(__name__)
P = ParamSpec("P")

BEAT_S = 15.0
# Everything is read again after this many beats, whatever was announced: an announcement may be lost with its process.
BEATS_PER_READ = 2
LIFE_S = 600.0
# Between two reads of one stream: changes that come faster are joined.
GAP_S = 0.1
RETRY_MS = 2000
RETRY_AFTER_S = 1.0
# Streams per process; beyond them pages poll.
STREAMS_PER_USER = 10
STREAMS_PER_TOPIC = 100

SIGNED_OUT = {"error": "signed_out", "message": "Your session has ended. Sign in again: nothing is lost."}
NO_ACCESS = {"error": "no_access", "message": "You no longer have access to this page. Ask an owner for it."}
NO_STREAM = {"error": "no_stream", "message": "Poll instead: this server does not stream events now."}


@dataclass(frozen=True, slots=True)
class Event:
    """One message to the page. `data` is what `json.dumps` takes; `id` tells events of one name apart."""

    name: str
    data: Any
    id: str = ""

    def frame(self) -> str:
        head = f"id: {self.id}\n" if self.id else ""
        return f"{head}event: {self.name}\ndata: {json.dumps(self.data, separators=(',', ':'))}\n\n"


@dataclass(frozen=True, slots=True)
class SignIn:
    """By which a stream sees that its user has signed out, or may no longer sign in."""

    session_key: str
    user_id: str

    def is_valid(self) -> bool:
        session = import_module(settings.SESSION_ENGINE).SessionStore(self.session_key)
        user = User.objects.filter(pk=self.user_id, is_active=True).first()
        if user is None or session.get(SESSION_KEY) != self.user_id or BACKEND_SESSION_KEY not in session:
            return False
        known = session.get(HASH_SESSION_KEY, "")
        hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
        return any(constant_time_compare(known, each) for each in hashes)


View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
Read = Callable[[frozenset[str]], Sequence[Event]]


def requires_sign_in(view: View[P]) -> View[P]:
    """401 as JSON, where a page of the admin would redirect: a script cannot follow that."""

    @wraps(view)
    def answered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return JsonResponse(SIGNED_OUT, status=401)
        return view(request, *args, **kwargs)

    return cast("View[P]", answered)


def event_stream(
    request: HttpRequest,
    topics: Collection[str],
    read: Read,
    *,
    shared_as: str = "",
    may_go_on: Callable[[], bool] | None = None,
) -> HttpResponseBase:
    """The events that `read` returns, now and whenever one of the topics has changed.

    `read(changed)` runs on a database thread, perhaps in another process: a function of a module, or a `partial` of
    one, whose arguments are values. It returns the whole state each time, as one event or as many: an event that is the
    same as in the read before is not sent again. It raises PermissionDenied where the user may no longer see it.
    Streams with the same `shared_as` share one read: it must be the same for all of them, and gets all topics. What is
    not read for each user needs `may_go_on`: whether this one may still see it. It is asked at each beat.

    With `?poll=1` the state once, as JSON. The request must have a signed-in user (`requires_sign_in`).
    """
    all_topics = frozenset(topics)
    language = translation.get_language() or settings.LANGUAGE_CODE
    read = partial(_in_language, language, read)
    shared_as = f"{shared_as} in {language}" if shared_as else ""
    if "poll" in request.GET:
        return polled(read, all_topics)
    if not isinstance(request, ASGIRequest):
        return JsonResponse(NO_STREAM, status=503)
    sign_in = SignIn(request.session.session_key or "", str(request.user.pk))
    stream = Stream(all_topics, read, sign_in, shared_as, may_go_on)
    response = StreamingHttpResponse(stream.frames(), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would hold the events back
    release_connections()  # the request lasts for minutes
    return response


def _in_language(language: str, read: Read, changed: frozenset[str]) -> Sequence[Event]:
    """That of the page: a stream outlives its request, and is read elsewhere."""
    with translation.override(language):
        return read(changed)


def polled(read: Read, topics: frozenset[str]) -> HttpResponse:
    try:
        events = read(topics)
    except PermissionDenied:
        return JsonResponse(NO_ACCESS, status=403)
    return JsonResponse({"events": [{"name": each.name, "data": each.data, "id": each.id} for each in events]})


_streams_of: Counter[str] = Counter()  # of users and topics; on the event loop only


@dataclass(eq=False, slots=True)
class Stream:
    """One browser's stream: it ends after ten minutes, with the sign-in, and when the process drains."""

    topics: frozenset[str]
    read: Read
    sign_in: SignIn
    shared_as: str
    may_go_on: Callable[[], bool] | None
    sent: frozenset[str] = frozenset()

    async def frames(self) -> AsyncGenerator[str, None]:
        names = [f"user {self.sign_in.user_id}", *self.topics]
        yield f"retry: {RETRY_MS}\n\n"
        if is_crowded(names):
            yield end("crowded")
            return
        _streams_of.update(names)
        try:
            async with follow_changes(self.topics) as changes, aclosing(self._follow(changes, hub_here())) as frames:
                async for frame in frames:
                    yield frame
        finally:
            for name in names:
                _streams_of[name] -= 1
                if not _streams_of[name]:
                    del _streams_of[name]

    async def _follow(self, changes: Changes, hub: Hub) -> AsyncGenerator[str, None]:
        now = asyncio.get_running_loop().time
        ends_at, beat_at, beats = now() + LIFE_S, now() + BEAT_S, 0
        while True:
            changed = await changes.next(within_s=max(0.0, beat_at - now()))
            if changes.is_over or now() > ends_at:
                yield end("again")
                return
            if now() >= beat_at:
                beat_at, beats = now() + BEAT_S, beats + 1
                if why := await self._why_not():
                    yield end(why)
                    return
                yield Event("beat", None).frame()
                if beats % BEATS_PER_READ == 0:
                    changed, hub.sequence = self.topics, hub.sequence + 1
            if changed:
                try:
                    for frame in await self._frames_of(changed, hub):
                        yield frame
                except PermissionDenied:
                    yield end("no_access")
                    return
                except DatabaseError:
                    log.warning("feed_not_read", exc_info=True)
                    changes.note(changed)
                    await asyncio.sleep(RETRY_AFTER_S)
                await asyncio.sleep(GAP_S)

    async def _frames_of(self, changed: frozenset[str], hub: Hub) -> list[str]:
        read = partial(self.read, self.topics if self.shared_as else changed)
        events = await hub.read(read, shared_as=self.shared_as, since=hub.sequence)
        frames = [each.frame() for each in events]
        new = [frame for frame in frames if frame not in self.sent]
        self.sent = frozenset(frames)
        return new

    async def _why_not(self) -> str:
        """Why the stream has to end; empty while it may go on."""
        try:
            if not await feed_threads.run(self.sign_in.is_valid):
                return "signed_out"
            return "" if self.may_go_on is None or await feed_threads.run(self.may_go_on) else "no_access"
        except DatabaseError:
            return ""  # it is asked again at the next beat


def is_crowded(names: Sequence[str]) -> bool:
    user, *topics = names
    return _streams_of[user] >= STREAMS_PER_USER or any(_streams_of[each] >= STREAMS_PER_TOPIC for each in topics)


def end(why: str) -> str:
    """The last event: the page connects again, polls, or asks for a sign-in."""
    return Event("end", {"why": why}).frame()
