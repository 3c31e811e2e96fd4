"""LiveKit's tokens: read as the server reads them, signed as it signs webhooks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt

_LEEWAY_S = 60


class InvalidToken(Exception):
    """401 with this message in plain text."""


@dataclass(frozen=True, slots=True)
class TokenClaims:
    identity: str = ""
    name: str = ""
    kind: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    video: Mapping[str, object] = field(default_factory=dict)
    room_config: Mapping[str, object] = field(default_factory=dict)
    sip: Mapping[str, object] = field(default_factory=dict)

    def grants(self, what: str) -> bool:
        return self.video.get(what) is True

    @property
    def room(self) -> str:
        return str(self.video.get("room") or "")

    def may_publish(self, source: str) -> bool:
        """A missing grant allows all; if sources are named, only these are allowed."""
        if self.video.get("canPublish") is False:
            return False
        sources = self.video.get("canPublishSources")
        return source in sources if isinstance(sources, list) and sources else True


class ApiKeyPair:
    """One API key and its secret."""

    def __init__(self, api_key: str, api_secret: str) -> None:
        self.api_key = api_key
        self._secret = api_secret

    def read(self, token: str) -> TokenClaims:
        """Raises InvalidToken."""
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, RecursionError) as exc:
            raise InvalidToken("invalid authorization token") from exc
        if issuer != self.api_key:
            raise InvalidToken(f"invalid API key: {issuer}")
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], leeway=_LEEWAY_S)
        except jwt.PyJWTError as exc:
            raise InvalidToken(f"invalid token, error: {exc}") from exc
        return TokenClaims(
            identity=str(claims.get("sub") or ""),
            name=str(claims.get("name") or ""),
            kind=str(claims.get("kind") or ""),
            metadata=str(claims.get("metadata") or ""),
            attributes=claims.get("attributes") or {},
            video=claims.get("video") or {},
            room_config=claims.get("roomConfig") or {},
            sip=claims.get("sip") or {},
        )

    def sign(self, claims: Mapping[str, object], *, valid_s: int, is_forged: bool = False) -> str:
        now_s = int(time.time())
        full = {"iss": self.api_key, "nbf": now_s, "exp": now_s + valid_s, **claims}
        return jwt.encode(full, self._secret[::-1] if is_forged else self._secret, algorithm="HS256")
