"""OpenAI's key: from the environment, else from AWS Secrets Manager, where it may be rotated while we run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from django.conf import settings

from voiceapp.core.per_process import per_process
from voiceapp.providers.aws.client import AwsError
from voiceapp.providers.aws.secrets_manager import KeptSecret, SecretMissing

from .errors import OpenAIError, OpenAIErrorKind

# Accepted field names in a JSON secret, without case, hyphens and underscores; the most specific first.
FIELDS = ("openaiapikey", "apikey", "openaikey", "key", "openai", "secret", "value")
USABLE = re.compile(r"[!-~]{1,512}")


def openai_api_key() -> str:
    """The key. Blocks for a few seconds at most if the secret has to be fetched first. Raises OpenAIError."""
    if settings.OPENAI_API_KEY:
        return str(settings.OPENAI_API_KEY)
    return _key_in(_kept().text)


def renewed_api_key(refused: str) -> str:
    """After OpenAI rejected this key: the current one, or the same if there is no other."""
    if settings.OPENAI_API_KEY:
        return str(settings.OPENAI_API_KEY)
    kept = _kept()
    return _key_in(lambda: kept.renewed(kept.text()) if _key_in(kept.text) == refused else kept.text())


def is_key_cached() -> bool:
    """Whether `openai_api_key` returns at once, so that an event loop may call it."""
    return bool(settings.OPENAI_API_KEY) or _kept().is_known


def secret_id() -> str:
    return str(settings.OPENAI_SECRET_ID) or f"{settings.PROJECT_NAME}/{settings.ENVIRONMENT}/openai"


def read_key(text: str) -> str:
    """The key in a secret: the text itself, or a field of a JSON object. Raises ValueError."""
    text = text.strip()
    key: object = text
    if text.startswith("{"):
        fields = json.loads(text)
        by_name = {re.sub("[-_ ]", "", name).lower(): value for name, value in fields.items()}
        named = [by_name[name] for name in FIELDS if name in by_name]
        key = next(iter(named), _only_text(fields))
    elif text.startswith('"'):
        key = json.loads(text)
    key = key.strip() if isinstance(key, str) else ""
    if not USABLE.fullmatch(key):
        raise ValueError("no key is in it")
    return key


def _only_text(fields: Mapping[str, object]) -> object:
    return next(iter(fields.values())) if len(fields) == 1 else None


def _key_in(text: Callable[[], str]) -> str:
    try:
        return read_key(text())
    except SecretMissing as exc:
        raise OpenAIError(
            OpenAIErrorKind.NOT_CONFIGURED, f"OPENAI_API_KEY is not set; the secret {secret_id()}: {exc}"
        ) from exc
    except AwsError as exc:
        message = f"its key could not be fetched: {exc}"
        raise OpenAIError(OpenAIErrorKind.KEY_UNAVAILABLE, message, retry_after_s=exc.retry_after_s) from exc
    except ValueError as exc:
        raise OpenAIError(OpenAIErrorKind.NOT_CONFIGURED, f"the secret {secret_id()} holds no key") from exc


def _kept() -> KeptSecret:
    return _secret_of(secret_id(), settings.AWS_ENDPOINT_URL, settings.AWS_REGION, settings.AWS_ACCESS_KEY_ID)


@per_process
def _secret_of(secret_id: str, *account: str) -> KeptSecret:
    return KeptSecret(secret_id)
