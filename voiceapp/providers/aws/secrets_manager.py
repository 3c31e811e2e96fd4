"""AWS Secrets Manager: a secret that is fetched once, refreshed by age, and kept while AWS is unavailable."""

from __future__ import annotations

import time

import structlog

from voiceapp.providers.rarely_fetched import RarelyFetched

from .client import FAULTS, AwsError, aws_client, aws_error, is_without_credentials

log = structlog.get_logger(__name__)

SERVICE = "secretsmanager"
FRESH_FOR_S = 300.0
# Fetch again after a key is refused, but not after each refusal.
COOLDOWN_S = 10.0
COOLDOWN_AFTER_FAILURE_S = 2.0
# No secret is configured: fetching at every request would delay each of them.
COOLDOWN_WITHOUT_S = 30.0
FETCH_TIMEOUT_S = 10.0
NOT_FOUND = {"ResourceNotFoundException"}


class SecretMissing(AwsError):
    """There is no such secret, or we have no credentials to read it."""


class KeptSecret(RarelyFetched):
    """One secret, safe to share between threads. Blocks only on the first fetch and in `renewed`."""

    _thread_name = "aws-secret"

    def __init__(self, secret_id: str) -> None:
        super().__init__()
        self._secret_id = secret_id
        self._text: str | None = None
        self._error: AwsError | None = None

    @property
    def is_known(self) -> bool:
        """Whether `text` returns at once."""
        return self._text is not None

    def text(self) -> str:
        """The cached secret, however old: it is refreshed in the background. Raises AwsError."""
        if self._text is not None:
            self._refresh_if_old(FRESH_FOR_S)
            return self._text
        self._fetch_instead_of(None)
        return self._kept()

    def renewed(self, refused: str) -> str:
        """The current secret, fetched again if the cached one is still `refused`, which a provider rejected."""
        if self._text == refused:
            self._fetch_instead_of(refused)
        return self.text()

    def _kept(self) -> str:
        if self._text is None:
            raise self._error or AwsError(SERVICE, "the secret is being fetched for too long")
        return self._text

    def _fetch_instead_of(self, known: str | None) -> None:
        self._fetch_once(is_wanted=lambda: self._text == known, within_s=FETCH_TIMEOUT_S)

    def _fetch(self) -> None:
        try:
            text = fetch_secret(self._secret_id)
        except AwsError as exc:
            log.warning("secret_not_fetched", error=str(exc), is_kept=self.is_known)
            self._error = exc
            is_missing = isinstance(exc, SecretMissing)
            self._postpone(exc, COOLDOWN_WITHOUT_S if is_missing else COOLDOWN_AFTER_FAILURE_S)
            return
        self._text, self._error = text, None
        self._fetched_at = time.monotonic()
        self._next_fetch_at = self._fetched_at + COOLDOWN_S


def fetch_secret(secret_id: str) -> str:
    """The secret's current version as text. Raises AwsError, SecretMissing among them."""
    try:
        response = aws_client(SERVICE).get_secret_value(SecretId=secret_id)
    except FAULTS as exc:
        error = aws_error(SERVICE, exc)
        if is_without_credentials(exc) or error.code in NOT_FOUND:
            reason = str(error).removeprefix(f"{SERVICE}: ")
            raise SecretMissing(SERVICE, reason, code=error.code, permanent=True) from exc
        raise error from exc
    text = response.get("SecretString")
    if text is None:
        text = bytes(response.get("SecretBinary") or b"").decode("utf-8", "replace")
    return str(text)
