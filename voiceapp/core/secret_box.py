"""Encryption of organizations' secrets at rest, with keys derived from SECRET_KEY, a different one for each place."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

SALT = b"voiceapp secret box 1"


class SealBroken(Exception):
    """Encrypted for another place, or with a key that is not in SECRET_KEY or SECRET_KEY_FALLBACKS."""


def seal(text: str, *, place: str) -> str:
    """`place` names the field and its owner; decryption needs the same place."""
    return _box(place).encrypt(text.encode()).decode()


def unseal(sealed: str, *, place: str) -> str:
    """Raises SealBroken."""
    try:
        return _box(place).decrypt(sealed).decode()
    except (InvalidToken, ValueError) as exc:
        raise SealBroken(place) from exc


def resealed(sealed: str, *, place: str) -> str:
    """The text, encrypted again with the current SECRET_KEY. Raises SealBroken."""
    try:
        return _box(place).rotate(sealed).decode()
    except (InvalidToken, ValueError) as exc:
        raise SealBroken(place) from exc


def _box(place: str) -> MultiFernet:
    return MultiFernet([_key(secret, place) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str, place: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=SALT, info=place.encode()).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
