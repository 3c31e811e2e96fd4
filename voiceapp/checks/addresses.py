"""Validation of URLs in the settings."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_private(url: str) -> bool:
    """The traffic is safe from changes on its way: https, or loopback."""
    parts = urlsplit(url) if is_base_url(url) else None
    return parts is not None and (parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"})


def is_origin(text: str) -> bool:
    return is_base_url(text) and text.count("/") == 2


def is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not (parts.query or parts.fragment or parts.username)
        )
    except ValueError:
        return False
