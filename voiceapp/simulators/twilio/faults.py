"""Fault injection, by URL (`/fault/gaps=400/…`) or by the `faults` of a placed call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: Name → the default of its argument. None: the argument is not a number.
KNOWN: dict[str, float | None] = {
    # the media stream
    "no_stop": None,  # the socket is closed without `stop`
    "abort": 1000,  # ms of stream after which the connection is reset
    "never_start": None,  # `connected`, then nothing
    "two_starts": None,
    "lose_marks": 1,  # every n-th mark is not echoed
    "drop_timestamps": None,  # media without timestamp and chunk
    "gaps": 400,  # ms not sent, once in every 3 s of stream
    "replay_token": 500,  # ms after which a second socket sends the same parameters
    "late_token": 65,  # s between the TwiML and the socket
    "slow_reader": 1000,  # ms of stream after which nothing is read
    "garbage_frames": 5,  # so many malformed text frames, one every 100 ms
    "binary_frames": 5,
    "oversized_frame": 70_000,  # its size in bytes, after 1 s of stream
    # the webhooks
    "bad_signature": None,  # `webhook`, `stream` or `callbacks`; without an argument all of them
    "repeat_webhook": 1,  # so many more requests at once, with the same idempotency token
    "callbacks_reordered": None,  # the last one first
    "callbacks_doubled": None,
    # transfers
    "conference_refused": None,  # a conference cannot be joined
    "caller_id_refused": 21210,  # a call from another number than the account's own: the error code
    "answers_late": 2000,  # ms after its ringing time; a cancellation does not reach it any more
    # recordings
    "recording_unreported": None,  # neither the action of a <Record> nor any recording's callback is requested
    "recording_absent": 16102,  # a call's recording has no audio: the error code. Like the one before: of a call
    "recording_refused": 21220,  # a call is not recorded: the error code. This and the following by URL
    "media_late": 3000,  # ms after the message during which its audio is not there
    "media_gone": None,  # the recording was deleted
    "media_garbage": None,
    "media_cut": None,  # the file ends in the middle
    # the REST API
    "rest_500": None,
    "rest_slow": 3000,  # ms before each response
    "rest_late": 3000,  # ms between what a request does and its response
    "texts": None,  # what becomes of every text, like `landline`
}


class TwilioFaults:
    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self._chosen = dict(chosen or {})
        for name, argument in self._chosen.items():
            if name not in KNOWN:
                raise ValueError(f"unknown fault {name!r}; known faults: {', '.join(sorted(KNOWN))}")
            if argument and KNOWN[name] is not None:
                float(argument)

    @classmethod
    def parse(cls, faults: Iterable[str]) -> TwilioFaults:
        """Each is `name` or `name=argument`."""
        return cls({name: argument for name, _, argument in (fault.partition("=") for fault in faults)})

    @classmethod
    def from_path(cls, prefix: str) -> TwilioFaults:
        """From the prefix of a path, such as `fault/a/fault/b=3/`."""
        return cls.parse(part for part in prefix.split("/") if part and part != "fault")

    def __contains__(self, name: str) -> bool:
        assert name in KNOWN, name
        return name in self._chosen

    def __or__(self, other: TwilioFaults) -> TwilioFaults:
        return TwilioFaults({**self._chosen, **other._chosen})

    @property
    def names(self) -> set[str]:
        return set(self._chosen)

    def number(self, name: str) -> float:
        """The fault's argument, or its default."""
        default = KNOWN[name]
        assert default is not None, name
        return float(self._chosen[name]) if self._chosen.get(name) else default

    def argument(self, name: str) -> str:
        """The fault's argument as it was written."""
        return self._chosen[name]

    def breaks_signature_of(self, what: str) -> bool:
        return "bad_signature" in self and self._chosen["bad_signature"] in ("", what)
