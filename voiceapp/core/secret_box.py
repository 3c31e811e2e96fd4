"""Secrets of organizations at rest: encrypted with a key derived from SECRET_KEY, for one place and purpose each."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

SALT = b"voiceapp secret box 1"


class SealBroken(Exception):
    """Not sealed for this place, or by a key that neither SECRET_KEY nor SECRET_KEY_FALLBACKS has."""


def seal(text: str, *, place: str) -> str:
    """`place` says what the text is and whose: the same must be said to read it."""
    return _box(place).encrypt(text.encode()).decode()


def unseal(sealed: str, *, place: str) -> str:
    """Raises SealBroken."""
    try:
        return _box(place).decrypt(sealed).decode()
    except (InvalidToken, ValueError) as exc:
        raise SealBroken(place) from exc


def resealed(sealed: str, *, place: str) -> str:
    """The same by today's SECRET_KEY. Raises SealBroken."""
    try:
        return _box(place).rotate(sealed).decode()
    except (InvalidToken, ValueError) as exc:
        raise SealBroken(place) from exc


def _box(place: str) -> MultiFernet:
    return MultiFernet([_key(secret, place) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str, place: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=SALT, info=place.encode()).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
