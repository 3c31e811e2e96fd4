"""The websites that may show a call page: origins, one a line, in the one spelling that browsers compare."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from voiceapp.core.web_addresses import Origin, read_origin

MOST_SITES = 20
EXAMPLE = "https://www.example.com"


def read_sites(text: str) -> list[str]:
    """The origins of a text with one on each line, without repetitions. Raises ValidationError."""
    entries = [line.strip() for line in text.splitlines() if line.strip()]
    if len(entries) > MOST_SITES:
        raise ValidationError(
            gettext("These are %(number)s websites. At most %(most_sites)s may show the page.")
            % {"number": len(entries), "most_sites": MOST_SITES}
        )
    return list(dict.fromkeys(read_site(entry) for entry in entries))


def read_site(entry: str) -> str:
    """`https://www.example.com`, also of `HTTPS://www.Example.com/`. Raises ValidationError with what to enter."""
    if "*" in entry:
        raise ValidationError(
            gettext("“%(entry)s” stands for many websites. Enter each one by itself, like %(example)s.")
            % {"entry": entry, "example": EXAMPLE}
        )
    if not entry.isascii():
        raise ValidationError(_other_spelling(entry))
    try:
        origin = read_origin(entry)
    except ValueError as exc:
        raise ValidationError(
            gettext("“%(entry)s” is not the address of a website. Enter it like %(example)s.")
            % {"entry": entry, "example": EXAMPLE}
        ) from exc
    if origin.scheme != "https" and not origin.is_this_machine:
        raise ValidationError(
            gettext("Browsers give the microphone to secure pages only. Enter https://%(host)s.")
            % {"host": origin.host}
        )
    if not (origin.is_this_machine or _is_name(origin)):
        raise ValidationError(
            gettext("“%(entry)s” has no name. Enter the website's name, like %(example)s.")
            % {"entry": entry, "example": EXAMPLE}
        )
    if entry.lower().removesuffix("/") not in (str(origin), f"{origin.scheme}://{_host(origin)}:{origin.port}"):
        raise ValidationError(
            gettext("“%(entry)s” is one page. A whole website may show the call page: enter %(origin)s.")
            % {"entry": entry, "origin": origin}
        )
    return str(origin)


def _other_spelling(entry: str) -> str:
    """How browsers spell a name with other letters than a to z; two names that look alike then differ."""
    scheme, _, rest = entry.partition("://")
    try:
        spelled = str(read_origin(f"{scheme}://{rest.partition('/')[0].encode('idna').decode()}"))
    except (UnicodeError, ValueError):
        return gettext("“%(entry)s” is not the address of a website. Enter it like %(example)s.") % {
            "entry": entry,
            "example": EXAMPLE,
        }
    return gettext(
        "Browsers spell “%(entry)s” as %(spelled)s. Enter it that way, if it is the website that you mean."
    ) % {"entry": entry, "spelled": spelled}


def _is_name(origin: Origin) -> bool:
    return Origin("https", origin.host, 443).is_named_https


def _host(origin: Origin) -> str:
    return f"[{origin.host}]" if ":" in origin.host else origin.host
