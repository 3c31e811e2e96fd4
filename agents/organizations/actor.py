"""Who makes the changes that are written to the audit log: a person, an API key, or a command on the server.

Nothing else is an actor: calls and workers change rows by the thousand, and have records of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from .principal import Principal

LONGEST_NAME = 150
LONGEST_PLACE = 200
# Commands that serve others: what happens in them has actors of its own.
SERVERS = frozenset({"run", "serve", "runserver", "run_agent", "test"})


class Via(models.TextChoices):
    """How an actor came in."""

    PAGE = "page", _("Page")
    API = "api", _("API")
    COMMAND = "command", _("Command")
    WORKER = "worker", _("Worker")


@dataclass(frozen=True, slots=True)
class Actor:
    """`place` is the path of the page or endpoint, or the command; never with a query, which may hold a secret."""

    name: str
    via: Via
    place: str
    user_id: int | None = None


_request: ContextVar[HttpRequest | None] = ContextVar("request_of_actor", default=None)
_acting: ContextVar[Actor | None] = ContextVar("actor", default=None)


class ActorMiddleware:
    """Changes that are made during a request are those of its user or key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(before)


@contextmanager
def acting_as(actor: Actor | None) -> Iterator[None]:
    before = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(before)


def current_actor() -> Actor | None:
    """None: nothing is written to the audit log."""
    acting, request = _acting.get(), _request.get()
    if acting is not None or request is None:
        return acting or COMMAND
    return _actor_of(request)


def command_actor(arguments: list[str]) -> Actor | None:
    """Of `manage.py import_menu …`; the arguments may name secrets, and are left out."""
    if len(arguments) < 2 or arguments[1] in SERVERS or Path(arguments[0]).name != "manage.py":
        return None
    return Actor("manage.py", Via.COMMAND, f"manage.py {arguments[1]}"[:LONGEST_PLACE])


COMMAND = command_actor(sys.argv)


def worker(task: str) -> Actor:
    """For the rare setting that a worker changes by itself, such as an endpoint that it pauses."""
    return Actor("voiceapp", Via.WORKER, task)


def _actor_of(request: HttpRequest) -> Actor | None:
    user: object = getattr(request, "user", None)
    via = Via.PAGE if request.path.startswith("/admin/") else Via.API
    place = request.path[:LONGEST_PLACE]
    if isinstance(user, Principal):
        if user.is_key:
            return Actor(user.subject[:LONGEST_NAME], via, place)
        user = User.objects.filter(pk=user.subject).first() if user.subject.isdigit() else None
    if not getattr(user, "is_authenticated", False) or not hasattr(user, "get_username"):
        return None
    return Actor(user.get_username()[:LONGEST_NAME], via, place, getattr(user, "pk", None))
