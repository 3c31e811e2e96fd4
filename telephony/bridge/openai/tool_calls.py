"""The function calls of a response in the order in which the model made them: that of `output_index`."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from telephony.bridge.core.events import AgentEvent, ToolRequested

from .frames import Item


@dataclass(slots=True)
class _Output:
    unfinished: set[int] = field(default_factory=set)
    held: dict[int, list[Item]] = field(default_factory=dict)
    unmade: dict[int, Item] = field(default_factory=dict)  # function calls that are not whole (yet)

    def took(self, index: int, item: Item) -> None:
        """An item that will not change any more."""
        if item.type != "function_call":
            return
        self.unmade = {at: other for at, other in self.unmade.items() if at != index and other.id != (item.id or "")}
        if not is_whole_call(item):
            self.unmade[index] = item


def is_whole_call(item: Item) -> bool:
    """An interruption leaves calls whose arguments end in the middle: only completed ones may be run."""
    return item.type == "function_call" and item.status == "completed" and bool(item.call_id and item.name)


class CallOrder:
    """An item that is finished before one in front of it is held back until that one is finished, or the response."""

    __slots__ = ("_outputs",)

    def __init__(self) -> None:
        self._outputs: defaultdict[str, _Output] = defaultdict(_Output)

    def added(self, response_id: str, index: int, item: Item | None = None) -> None:
        output = self._outputs[response_id]
        output.unfinished.add(index)
        if item is not None and item.type == "function_call":
            output.unmade[index] = item

    def finished(self, response_id: str, index: int, item: Item) -> list[Item]:
        """The items that may be looked at now, in order."""
        output = self._outputs[response_id]
        output.unfinished.discard(index)
        output.took(index, item)
        output.held.setdefault(index, []).append(item)
        first_open = min(output.unfinished, default=None)
        ready = sorted(held for held in output.held if first_open is None or held < first_open)
        return [held for at in ready for held in output.held.pop(at)]

    def is_open(self, response_id: str) -> bool:
        """An item was begun and not finished."""
        return response_id in self._outputs and bool(self._outputs[response_id].unfinished)

    def lost(self, response_id: str, whole_output: Iterable[Item]) -> list[Item]:
        """The function calls that were begun in a response that is over, and are not whole. Before `ended`."""
        output = self._outputs[response_id]
        for index, item in enumerate(whole_output):
            output.took(index, item)
        return [output.unmade[index] for index in sorted(output.unmade)]

    def ended(self, response_id: str) -> list[Item]:
        """What was still held back."""
        output = self._outputs.pop(response_id, None) or _Output()
        return [item for at in sorted(output.held) for item in output.held[at]]


# Responses whose call ids are remembered after their end, for events that come late or twice.
MOST_REMEMBERED = 64
_REPLAY = object()


@dataclass(slots=True)
class _Batch:
    waiting: int = 0
    is_complete: bool = False  # the response ended: no more calls will join
    needs_answer: bool = False

    @property
    def is_response_due(self) -> bool:
        return self.is_complete and not self.waiting and self.needs_answer


@dataclass(slots=True)
class _Response:
    batch: _Batch = field(default_factory=_Batch)
    call_ids: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Request:
    call_id: str
    batch: _Batch


class ToolBatches:
    """Of one session. `mint` makes an id that no other request of the call has."""

    __slots__ = (
        "_mint",
        "_requests",
        "_responses",
    )

    def __init__(self, mint: Callable[[str], str]) -> None:
        self._mint = mint
        self._responses: OrderedDict[object, _Response] = OrderedDict()
        self._requests: dict[str, _Request] = {}

    def response_began(self, response_id: str) -> None:
        """A response with the id of one that ended is another response: it may repeat its call ids."""
        known = self._responses.get(response_id)
        if known is not None and known.batch.is_complete:
            del self._responses[response_id]

    def requests(self, response_id: str, items: Iterable[Item]) -> list[AgentEvent]:
        """The completed function calls among these items, each once, as tool requests."""
        requests: list[AgentEvent] = []
        for item in items:
            if not is_whole_call(item) or not item.call_id or not item.name:
                continue
            request_id = self._requested(response_id, item.call_id)
            if request_id is not None:
                requests.append(ToolRequested(request_id, item.name, item.arguments or "{}"))
        return requests

    def _requested(self, response_id: str, call_id: str) -> str | None:
        """The id of the request; None when this response has made this call already."""
        response = self._response(response_id)
        if call_id in response.call_ids:
            return None
        response.call_ids.add(call_id)
        request_id = self._mint(call_id)
        self._wait_for(request_id, call_id, response.batch)
        return request_id

    def replayed(self, request_id: str) -> None:
        """A request of an earlier session still runs; this session knows it by the id of ours."""
        self._wait_for(request_id, request_id, self._response(_REPLAY).batch)

    def replay_ended(self) -> None:
        self._response(_REPLAY).batch.is_complete = True

    def call_id_of(self, request_id: str) -> str | None:
        """The provider's id of a request that waits for its output; None when this session waits for none."""
        request = self._requests.get(request_id)
        return None if request is None else request.call_id

    def answered(self, request_id: str, *, needs_answer: bool) -> bool:
        """Returns whether the agent should speak now."""
        batch = self._requests.pop(request_id).batch
        batch.waiting -= 1
        batch.needs_answer |= needs_answer
        return batch.is_response_due

    def has_calls(self, response_id: str) -> bool:
        return bool(self._response(response_id).call_ids)

    def response_ended(self, response_id: str, *, had_audio: bool) -> bool:
        """Returns whether the agent should speak now. Unless it was heard, even a farewell still has to be spoken."""
        response = self._response(response_id)
        response.batch.is_complete = True
        response.batch.needs_answer |= bool(response.call_ids) and not had_audio
        return response.batch.is_response_due

    def _wait_for(self, request_id: str, call_id: str, batch: _Batch) -> None:
        batch.waiting += 1
        self._requests[request_id] = _Request(call_id, batch)

    def _response(self, response_id: object) -> _Response:
        response = self._responses.get(response_id)
        if response is None:
            response = self._responses[response_id] = _Response()
            while len(self._responses) > MOST_REMEMBERED:
                self._responses.popitem(last=False)
        return response
