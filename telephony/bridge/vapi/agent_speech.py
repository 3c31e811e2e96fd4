"""What the assistant says: VAPI's sound has no ids, so an item is what lies between its begin and its end of speech."""

from __future__ import annotations

from telephony.bridge.core.agent_item import AUDIBLE_BYTES, QUIET, AgentItem
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.ulaw import decoded

# Sound that comes this soon after the end of an item, or after it was dropped, still belongs to it.
SAME_SPEECH_MS = 250
# Every so many frames of an item one is listened to; so many quiet ones in a row, and the item is over.
LOOK_EVERY = 25
MOST_QUIET_LOOKS = 3
# Of one utterance; what would be more is not kept.
LONGEST_TEXT = 10_000


class AgentSpeech:
    """`item` is being spoken, dropped or not; `latest` is the last one, to which texts belong that come late."""

    def __init__(self, clock: StreamClock) -> None:
        self._clock = clock
        self._count = 0
        self.session = 0
        self.item: AgentItem | None = None
        self.latest: AgentItem | None = None
        self._until_look = LOOK_EVERY
        self._quiet_looks = 0
        self._loud_ms = 0
        self._ahead = self._spoken = self._next = ""

    @property
    def is_wanted(self) -> bool:
        """The assistant is speaking, and the caller is to hear it."""
        return self.item is not None and not self.item.is_dropped

    def begin(self) -> AgentItem:
        self._count += 1
        item_id = f"agent_{self._count}"
        self.item = self.latest = AgentItem(item_id, session=self.session, is_streamed=True)
        self._until_look, self._quiet_looks = LOOK_EVERY, 0
        self._ahead, self._next = self._next, ""
        self._spoken = ""
        return self.item

    def drop(self) -> None:
        """Whatever still comes of it is not wanted."""
        self._next = ""
        if self.item is not None:
            self.item.is_dropped = True
            self._loud_ms = self._clock.now_ms

    def end(self) -> AgentItem | None:
        item, self.item = self.item, None
        self._loud_ms = self._clock.now_ms
        return item

    def is_over(self, payload: str) -> bool:
        """A frame of the item that is spoken: whether it has been quiet for so long that its end was missed."""
        self._until_look -= 1
        if self._until_look:
            return False
        self._until_look = LOOK_EVERY
        self._quiet_looks = 0 if is_loud(payload) else self._quiet_looks + 1
        return self._quiet_looks >= MOST_QUIET_LOOKS

    def is_leftover(self) -> bool:
        """Sound outside an item that is wanted: whether it belongs to what was spoken just before."""
        since_ms = self._clock.now_ms - self._loud_ms
        if since_ms >= SAME_SPEECH_MS:
            return False
        if self.item is not None:  # dropped: as long as it goes on without a gap, it is not wanted
            self._loud_ms = self._clock.now_ms
        return True

    def next_text(self, text: str) -> None:
        """What is going to be spoken next."""
        self._next = _joined(self._next, text)

    def text(self, *, ahead: str = "", spoken: str = "") -> str:
        """All of its text so far. What VAPI is going to speak is known before what it says was spoken."""
        self._ahead, self._spoken = _joined(self._ahead, ahead), _joined(self._spoken, spoken)
        if self.item is None:
            return self._spoken or self._ahead
        return max(self._spoken, self._ahead, key=len)

    def link_closed(self) -> None:
        self.session += 1
        self.item = self.latest = None
        self._next = ""


def _joined(text: str, more: str) -> str:
    return f"{text} {more}".strip() if len(text) + len(more) < LONGEST_TEXT else text


def is_loud(payload: str) -> bool:
    """Whether sound holds more than a quiet line: VAPI may send silence between utterances. Raises BadFrame."""
    audio = decoded(payload)
    if not audio:
        raise BadFrame
    return len(audio.translate(None, QUIET)) >= min(AUDIBLE_BYTES, len(audio) // 2)
