"""One response at a time: a request waits until the provider and the caller are both done.

The server makes its own response when the caller's turn ends. A second request would be refused, or the caller would
be answered twice; so from the end of speech until that response begins, nothing is requested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import Purpose


@dataclass(frozen=True, slots=True)
class Request:
    purpose: Purpose
    say: str = ""
    in_other_words: bool = False


ANSWER = Request(Purpose.ANSWER)


class ResponseSequencer:
    """`request(event_id, request)` sends one response.create."""

    __slots__ = (
        "_active_id",
        "_believed",
        "_caller_is_speaking",
        "_count",
        "_expects_own",
        "_has_open_turn",
        "_is_open",
        "_request",
        "_requested",
        "_wanted",
    )

    def __init__(self, request: Callable[[str, Request], None]) -> None:
        self._request = request
        self._count = 0
        self._wanted: list[Request] = []
        self._requested: tuple[str, Request] | None = None  # sent, not yet begun
        self._believed: tuple[str, Request] | None = None  # the last one taken as begun
        self._active_id = ""
        self._expects_own = False
        self._has_open_turn = False
        self._caller_is_speaking = False
        self._is_open = False

    @property
    def active_id(self) -> str:
        return self._active_id

    @property
    def is_due(self) -> bool:
        return bool(self._active_id or self._requested or self._expects_own or self._wanted)

    @property
    def is_open_or_requested(self) -> bool:
        return bool(self._active_id or self._requested)

    @property
    def is_owed(self) -> bool:
        """A response was requested, or a turn of the caller's has none yet."""
        return bool(self._requested or self._expects_own or self._has_open_turn)

    @property
    def expects_own(self) -> bool:
        return self._expects_own

    @property
    def caller_is_speaking(self) -> bool:
        return self._caller_is_speaking

    def open(self) -> None:
        self._is_open = True
        self.advance()

    def want(self, request: Request) -> None:
        if all(other.purpose is not request.purpose for other in self._wanted):
            self._wanted.append(request)
        self.advance()

    def forget(self, purposes: tuple[Purpose, ...]) -> None:
        self._wanted = [request for request in self._wanted if request.purpose not in purposes]

    def advance(self) -> None:
        """Request the next response if one is wanted and may be made now."""
        is_taken = self._active_id or self._requested or self._expects_own or self._caller_is_speaking
        if self._wanted and self._is_open and not is_taken:
            self._count += 1
            self._requested = (f"ask_{self._count}", self._wanted.pop(0))
            self._request(*self._requested)

    def speech_started(self) -> None:
        self._caller_is_speaking = True

    def speech_stopped(self, *, server_answers: bool) -> None:
        self._caller_is_speaking = False
        self._expects_own = server_answers

    def turn_committed(self, *, server_answers: bool) -> None:
        self.speech_stopped(server_answers=server_answers)
        self._has_open_turn = True

    def overdue(self) -> None:
        """The server's own response did not come: request one, if there is a turn to answer."""
        self._expects_own = False
        is_requested = self._requested is not None and self._requested[1].purpose is Purpose.ANSWER
        if self._has_open_turn and not is_requested:
            self.want(ANSWER)
        self.advance()

    def began(self, response_id: str, *, knows_everything: bool) -> Request:
        """A response exists. `knows_everything`: the server had confirmed all our items before it."""
        self._active_id = response_id
        self._has_open_turn = False
        if self._requested is not None:
            self._believed, self._requested = self._requested, None
            return self._believed[1]
        self._expects_own = False
        if knows_everything:
            self.forget((Purpose.ANSWER,))
        return ANSWER

    def ended(self, response_id: str) -> None:
        if response_id == self._active_id:
            self._active_id = ""

    def refused(self, event_id: str | None, *, is_about_responses: bool) -> Request | None:
        """An error came. Returns the request of the frame it is about, if that was a response.create.

        `is_about_responses`: it can be about nothing else, so that one without an event's id is about ours.
        """
        if self._requested is not None and (
            event_id == self._requested[0] or (is_about_responses and event_id is None)
        ):
            refused, self._requested = self._requested, None
            return refused[1]
        if self._believed is not None and event_id == self._believed[0]:
            refused, self._believed = self._believed, None  # what began was the server's own
            return refused[1]
        return None

    def never_began(self) -> Request | None:
        """The request that is not waited for any more; None when a response is being made, or none was requested."""
        if self._active_id or self._requested is None:
            return None
        (_, request), self._requested = self._requested, None
        return request

    def own_refused(self) -> bool:
        """The server has no room for the response that it should make by itself. Returns whether one was expected."""
        was_expected, self._expects_own = self._expects_own, False
        return was_expected

    def request_again(self, request: Request) -> None:
        """The server is busy with a response of its own: first in the line after that."""
        self._wanted.insert(0, request)
        self._expects_own = not self._active_id


# Ended responses that are remembered, so that audio of theirs still under way is not taken for a new one's.
MOST_REMEMBERED = 64


@dataclass(slots=True)
class OpenResponse:
    request: Request
    items: list[AgentItem] = field(default_factory=list)
    is_dropped: bool = False


class Responses:
    """`name_of(response_id, item_id)` is the id of an item's line in the transcript."""

    __slots__ = (
        "_ended",
        "_items",
        "_name_of",
        "_open",
        "_session",
    )

    def __init__(self, session: int, name_of: Callable[[str, str], str]) -> None:
        self._session = session
        self._name_of = name_of
        self._open: dict[str, OpenResponse] = {}
        self._items: dict[tuple[str, int], AgentItem] = {}
        self._ended: list[str] = []

    def began(self, response_id: str, request: Request) -> None:
        if response_id in self._ended:  # the id of one that is over, used again
            self._ended.remove(response_id)
        self._open.setdefault(response_id, OpenResponse(request)).request = request

    def is_over(self, response_id: str) -> bool:
        return response_id in self._ended

    def item(self, response_id: str, item_id: str, content_index: int) -> AgentItem | None:
        """The item this audio belongs to; None when its response is over or was dropped."""
        item = self._items.get((item_id, content_index))
        if item is None or (response_id and item.response_id != response_id):
            response = self._open.get(response_id)
            if response is None:
                if response_id in self._ended:
                    return None
                response = self._open[response_id] = OpenResponse(ANSWER)
            line_id = self._name_of(response_id, item_id)
            item = AgentItem(item_id, content_index, self._session, response_id=response_id, line_id=line_id)
            item.is_dropped = response.is_dropped
            response.items.append(item)
            self._items[item_id, content_index] = item
        return None if item.is_dropped else item

    def find(self, item_id: str, content_index: int) -> AgentItem | None:
        item = self._items.get((item_id, content_index))
        return None if item is None or item.is_dropped else item

    def is_spoken(self, response_id: str) -> bool:
        """Something of it can be heard, and each of its items has come to its end."""
        items = self._open[response_id].items if response_id in self._open else []
        return any(item.has_begun for item in items) and all(item.is_complete for item in items)

    def drop(self) -> None:
        """Drop everything that the open responses still send."""
        for response in self._open.values():
            response.is_dropped = True
            for item in response.items:
                item.is_dropped = True

    def ended(self, response_id: str) -> OpenResponse | None:
        if response_id not in self._ended:
            self._ended.append(response_id)
            del self._ended[:-MOST_REMEMBERED]
        response = self._open.pop(response_id, None)
        for item in response.items if response else ():
            if self._items.get((item.item_id, item.content_index)) is item:
                del self._items[item.item_id, item.content_index]
        return response
