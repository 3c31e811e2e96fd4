"""Addresses of audio on this server: signed, for a few minutes, and good without any other credential.

Make one only after the permission check, and note it in the audit log (recordings/services/access.py).
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.core import signing
from django.urls import reverse

from recordings.models import Recording

LIVES_S = 300
SALT = "recordings.audio"


class AddressExpired(Exception):
    """It was a valid address."""


def signed_path(recording: Recording, *, is_download: bool = False) -> str:
    """`/recordings/12/audio?signature=…`; logs do not contain the signature (voiceapp/core/logs.py)."""
    signature = signing.dumps([recording.pk, is_download], salt=SALT)
    return f"{reverse('recording-audio', args=[recording.pk])}?{urlencode({'signature': signature})}"


def is_download_address(recording_id: int, signature: str) -> bool | None:
    """Whether the address offers the file for download; None if the signature is not ours. Raises AddressExpired."""
    try:
        signed_id, is_download = signing.loads(signature, salt=SALT, max_age=LIVES_S)
    except signing.SignatureExpired as exc:
        raise AddressExpired from exc
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return bool(is_download) if signed_id == recording_id else None
