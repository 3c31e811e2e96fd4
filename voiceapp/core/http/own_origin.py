"""The origin at which a browser reached us, for sockets: Django says it of requests, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from voiceapp.core.web_addresses import Origin, read_origin

SECURE = ("https", "wss")


def own_origin(scope: Mapping[str, Any]) -> Origin | None:
    """Scheme, host and port of an ASGI scope, also behind our proxies; None for a host that is not ours."""
    host = _last(scope, b"host")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None
    try:
        return read_origin(f"{'https' if _is_secure(scope) else 'http'}://{host}")
    except ValueError:
        return None


def _is_secure(scope: Mapping[str, Any]) -> bool:
    """As Django decides it of a request: a proxy's word counts where there is one (SECURE_PROXY_SSL_HEADER)."""
    forwarded = _last(scope, b"x-forwarded-proto") if settings.TRUSTED_PROXY_COUNT else ""
    return (forwarded.partition(",")[0].strip() == "https") if forwarded else scope.get("scheme") in SECURE


def _last(scope: Mapping[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for each, value in reversed(scope["headers"]) if each == name), "")
