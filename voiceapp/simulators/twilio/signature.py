"""X-Twilio-Signature, computed from Twilio's description and not with its library."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def signature(auth_token: str, url: str, params: Mapping[str, str] | None = None) -> str:
    """Base64 of HMAC-SHA1 over the URL (fragment excluded) and the sorted form fields, each name then value."""
    signed = url.partition("#")[0] + "".join(name + value for name, value in sorted((params or {}).items()))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
