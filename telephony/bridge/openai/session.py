"""The session object of one call, what its turn detection does by itself, and the state of one session."""

from __future__ import annotations

import copy
from collections.abc import Mapping

_SILENCE_MS = 500  # the provider's default; sessions of ours set it


class SessionSettings:
    """Made from the GA session object. Guarded: speech over a protected greeting is transcribed, but neither
    interrupts nor gets an answer, until `normal` is sent."""

    __slots__ = (
        "answers_turns",
        "interrupts_itself",
        "normal",
        "silence_ms",
    )

    def __init__(self, session: Mapping[str, object]) -> None:
        self.normal = dict(session)
        detection = _turn_detection(self.normal) or {}
        self.answers_turns = detection.get("create_response", True) is True
        self.interrupts_itself = detection.get("interrupt_response", True) is True
        silence_ms = detection.get("silence_duration_ms", _SILENCE_MS)
        is_by_silence = detection.get("type") == "server_vad" and isinstance(silence_ms, int)
        self.silence_ms = silence_ms if is_by_silence and isinstance(silence_ms, int) else 0

    @property
    def guarded(self) -> dict[str, object]:
        session = copy.deepcopy(self.normal)
        detection = _turn_detection(session)
        if detection is not None:
            detection.update(create_response=False, interrupt_response=False)
        return session

    @property
    def listening(self) -> dict[str, object]:
        """The input side alone: OpenAI refuses a new voice once the agent has spoken."""
        audio = self.normal.get("audio")
        caller = audio.get("input") if isinstance(audio, dict) else None
        return {"type": "realtime", "audio": {"input": caller}}


class SessionState:
    """What is known of one session. The dialect and its readers share it; a new session starts with a new one."""

    __slots__ = (
        "is_guarding",
        "is_on_its_own",
        "is_ready",
        "is_requested",
        "is_updating",
        "replayed",
        "settings",
        "truncating",
        "unconfirmed_items",
    )

    def __init__(self, settings: SessionSettings, *, is_guarding: bool) -> None:
        self.settings = settings
        self.is_guarding = is_guarding
        self.is_requested = False  # our settings were sent
        self.is_ready = False
        self.is_updating = False
        self.is_on_its_own = False  # the server did not confirm our session update: it does nothing by itself
        self.unconfirmed_items: set[str] = set()
        self.truncating: set[str] = set()
        self.replayed: list[tuple[str, str]] = []  # line and item of what the session was given, in order

    @property
    def server_answers(self) -> bool:
        return self.settings.answers_turns and not (self.is_guarding or self.is_on_its_own)

    @property
    def server_interrupts(self) -> bool:
        return self.settings.interrupts_itself and not (self.is_guarding or self.is_on_its_own)


def _turn_detection(session: dict[str, object]) -> dict[str, object] | None:
    audio = session.get("audio")
    caller = audio.get("input") if isinstance(audio, dict) else None
    detection = caller.get("turn_detection") if isinstance(caller, dict) else None
    return detection if isinstance(detection, dict) else None
