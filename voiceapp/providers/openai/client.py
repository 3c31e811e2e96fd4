"""OpenAI Realtime: addresses, authentication, client secrets and GA session objects."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings

from .errors import OpenAIError, OpenAIErrorKind
from .key import openai_api_key, renewed_api_key
from .rest import post_file, post_json, post_nothing, post_offer

__all__ = [
    "AnsweredOffer",
    "ClientSecret",
    "OpenAIClient",
    "OpenAIError",
    "OpenAIErrorKind",
    "browser_session",
    "openai_api_key",
    "realtime_session",
    "semantic_vad",
    "server_vad",
]


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A browser opens a session of OpenAI with it, until it expires. `model` is the one that OpenAI chose."""

    value: str = field(repr=False)
    expires_at: dt.datetime
    session_id: str
    model: str


@dataclass(frozen=True, slots=True)
class AnsweredOffer:
    """A call over WebRTC: OpenAI's id of it, and the SDP answer that the browser gets."""

    call_id: str
    sdp: str


CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NOT_FOUND = 404


class OpenAIClient:
    """One account of OpenAI, or of any server that speaks its GA protocol.

    `renew` receives a rejected key and returns the one to try instead.
    """

    def __init__(self, *, api_key: str, base_url: str, renew: Callable[[str], str] | None = None) -> None:
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")
        self._renew = renew

    @classmethod
    def from_settings(cls) -> OpenAIClient:
        """Blocks if the key has to be fetched first (see `is_key_cached`). Raises OpenAIError without a key."""
        return cls(api_key=openai_api_key(), base_url=settings.OPENAI_BASE_URL, renew=renewed_api_key)

    def realtime_url(self, model: str) -> str:
        """The WebSocket's URL: https becomes wss, http (a server on this machine) becomes ws."""
        return self._socket_url(model=model)

    def side_channel_url(self, call_id: str) -> str:
        """The WebSocket that follows and controls a call over WebRTC."""
        return self._socket_url(call_id=call_id)

    def _socket_url(self, **query: str) -> str:
        scheme, _, rest = self._base_url.partition("://")
        return f"{'ws' if scheme == 'http' else 'wss'}://{rest}/realtime?{urlencode(query)}"

    def headers(self) -> dict[str, str]:
        """No beta header: the beta was switched off, and the header closes the socket with 4000."""
        return {"Authorization": f"Bearer {self._api_key}"}

    def with_renewed_key(self) -> OpenAIClient | None:
        """After the key was rejected: a client with the new key, None if there is none. Blocks."""
        key = self._renew(self._api_key) if self._renew else self._api_key
        if key == self._api_key:
            return None
        return OpenAIClient(api_key=key, base_url=self._base_url, renew=self._renew)

    def create_client_secret(
        self, session: Mapping[str, object], *, expires_after_s: int | None = None
    ) -> ClientSecret:
        """Mint a secret for a GA session object (10 to 7200 s; OpenAI's own default is 600). Raises OpenAIError."""
        body = client_secret_request(session, expires_after_s=expires_after_s)
        url = f"{self._base_url}/realtime/client_secrets"
        return read_client_secret(self._with_a_good_key(lambda headers: post_json(url, body, headers=headers)))

    def answer_offer(self, offer: str, *, secret: str) -> AnsweredOffer:
        """Begin a call over WebRTC with the session for which the secret was minted. Raises OpenAIError."""
        url = f"{self._base_url}/realtime/calls"
        sdp, location = post_offer(url, offer, headers={"Authorization": f"Bearer {secret}"})
        call_id = location.rstrip("/").rpartition("/")[2]
        if not (CALL_ID.fullmatch(call_id) and sdp.startswith("v=")):
            raise OpenAIError(OpenAIErrorKind.MALFORMED_RESPONSE, "returned no answer, or no id of the call")
        return AnsweredOffer(call_id, sdp)

    def hang_up(self, call_id: str) -> bool:
        """End a call over WebRTC. False if it was over already. Raises OpenAIError."""
        url = f"{self._base_url}/realtime/calls/{call_id}/hangup"

        def post(headers: Mapping[str, str]) -> Mapping[str, object]:
            post_nothing(url, headers=headers)
            return {}

        try:
            self._with_a_good_key(post)
        except OpenAIError as exc:
            if exc.status != NOT_FOUND:
                raise
            return False
        return True

    def transcribe(self, audio: bytes, *, file_name: str, content_type: str, model: str, language: str = "") -> str:
        """The words of a sound file. `language` is ISO 639-1, empty if unknown. Raises OpenAIError."""
        url = f"{self._base_url}/audio/transcriptions"
        fields = {"model": model, "response_format": "json"} | ({"language": language} if language else {})
        file = (file_name, audio, content_type)
        response = self._with_a_good_key(lambda headers: post_file(url, fields, file=file, headers=headers))
        text = response.get("text")
        if not isinstance(text, str):
            raise OpenAIError(OpenAIErrorKind.MALFORMED_RESPONSE, "returned no transcript", status=200)
        return text

    def _with_a_good_key(self, post: Callable[[Mapping[str, str]], Mapping[str, object]]) -> Mapping[str, object]:
        """The response to our key or, if it was rejected, to the renewed one."""
        try:
            return post(self.headers())
        except OpenAIError as exc:
            renewed = self.with_renewed_key() if exc.status == 401 else None
            if renewed is None:
                raise
            return post(renewed.headers())


def client_secret_request(session: Mapping[str, object], *, expires_after_s: int | None = None) -> dict[str, object]:
    """The body of a request for a client secret."""
    body: dict[str, object] = {"session": dict(session)}
    if expires_after_s is not None:
        body["expires_after"] = {"anchor": "created_at", "seconds": expires_after_s}
    return body


def read_client_secret(response: Mapping[str, object]) -> ClientSecret:
    """From `{"value", "expires_at", "session": {"id", "model"}}`. Raises OpenAIError for anything else."""
    value, expires_at, session = response.get("value"), response.get("expires_at"), response.get("session")
    try:
        if not (isinstance(value, str) and value and isinstance(session, Mapping)):
            raise ValueError("no secret")
        expiry = dt.datetime.fromtimestamp(int(str(expires_at)), dt.UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise OpenAIError(OpenAIErrorKind.MALFORMED_RESPONSE, "returned no client secret", status=200) from exc
    return ClientSecret(value, expiry, str(session.get("id") or ""), str(session.get("model") or ""))


def server_vad(*, threshold: float, prefix_padding_ms: int, silence_ms: int, interrupts: bool) -> dict[str, object]:
    """Turn detection by volume. `silence_ms` is always sent: the default has differed from its documentation."""
    return {
        "type": "server_vad",
        "threshold": threshold,
        "prefix_padding_ms": prefix_padding_ms,
        "silence_duration_ms": silence_ms,
        "create_response": True,
        "interrupt_response": interrupts,
    }


def semantic_vad(*, eagerness: str, interrupts: bool) -> dict[str, object]:
    """Turn detection by meaning: the model decides whether the sentence is complete."""
    return {
        "type": "semantic_vad",
        "eagerness": eagerness,
        "create_response": True,
        "interrupt_response": interrupts,
    }


def realtime_session(
    *,
    instructions: str,
    voice: str,
    turn_detection: Mapping[str, object],
    transcription_model: str,
    language: str = "",
    keywords: Sequence[str] = (),
    tools: Sequence[Mapping[str, object]] = (),
    noise_reduction: str | None = None,
    audio_format: str = "audio/pcmu",
    max_output_tokens: int | None = None,
) -> dict[str, object]:
    """A GA session object (`session` of session.update) that uses µ-law both ways, as the telephone does.

    The model is not in it: it is part of the URL and cannot change afterwards. `max_output_tokens` of one response:
    1 to 4096; None: the model's own.
    """
    transcription: dict[str, object] = {"model": transcription_model}
    if language:
        transcription["language"] = language
    if keywords:
        transcription["keywords"] = list(keywords)
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": instructions,
        "audio": {
            "input": {
                "format": {"type": audio_format},
                "noise_reduction": {"type": noise_reduction} if noise_reduction else None,
                "transcription": transcription,
                "turn_detection": dict(turn_detection),
            },
            "output": {"format": {"type": audio_format}, "voice": voice},
        },
        "tools": list(tools),
        "tool_choice": "auto",
        **({"max_output_tokens": max_output_tokens} if max_output_tokens else {}),
    }


def browser_session(
    *, model: str, voice: str, instructions: str, transcription_model: str, is_text_only: bool = False
) -> dict[str, object]:
    """A GA session object (`session` of a client secret) for a browser: WebRTC negotiates its own audio format."""
    audio: dict[str, object] = {
        "input": {
            "transcription": {"model": transcription_model},
            "turn_detection": server_vad(threshold=0.5, prefix_padding_ms=300, silence_ms=500, interrupts=True),
        }
    }
    if not is_text_only:
        audio["output"] = {"voice": voice}
    return {
        "type": "realtime",
        "model": model,
        "instructions": instructions,
        "output_modalities": ["text" if is_text_only else "audio"],
        "audio": audio,
    }
