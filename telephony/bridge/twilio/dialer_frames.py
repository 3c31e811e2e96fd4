"""Media Streams with two frames more, which a browser's dialer sends: typed text, and the button that interrupts."""

from __future__ import annotations

import msgspec

from telephony.bridge.core.events import AgentSilenced, CallerEvent, Ignored, TextTyped
from telephony.bridge.core.ports import NOT_JSON, BadFrame, CallerAudio

from .frames import TwilioCodec

LONGEST_TEXT = 500


class _PageFrame(msgspec.Struct, gc=False):
    event: str
    text: str = ""


_decoder = msgspec.json.Decoder(_PageFrame)
_SILENCED = AgentSilenced()


class DialerCodec(TwilioCodec):
    """The CallerCodec of one dialer."""

    __slots__ = ()

    def read(self, text: str) -> CallerAudio | CallerEvent:
        frame = super().read(text)
        return _page_event(text, frame) if isinstance(frame, Ignored) else frame

    def is_sound(self, text: str) -> bool:
        """Whether `play` has written it."""
        return text.startswith(self._media)


def _page_event(text: str, otherwise: Ignored) -> CallerEvent:
    """What Twilio would never send."""
    try:
        frame = _decoder.decode(text)
    except NOT_JSON as exc:
        raise BadFrame from exc
    if frame.event == "interrupt":
        return _SILENCED
    typed = " ".join(frame.text.split())[:LONGEST_TEXT] if frame.event == "say" else ""
    return TextTyped(typed) if typed else otherwise
