"""VAPI: its messages to our server URL, and what its assistants are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from voiceapp.providers.vapi.webhooks import ALGORITHMS, ENCODINGS, Method

PROVIDED = re.compile(r"[A-Za-z0-9-]+/\S+")


def vapi() -> Iterator[CheckMessage]:
    for name, allowed in (
        ("VAPI_SERVER_AUTH", tuple(Method)),
        ("VAPI_HMAC_ALGORITHM", ALGORITHMS),
        ("VAPI_HMAC_ENCODING", ENCODINGS),
    ):
        if getattr(settings, name) not in allowed:
            yield Error(
                f"{name} is not {', '.join(allowed)}: no message of VAPI's is accepted.",
                hint=f"Set {name} to one of them.",
                id="voiceapp.E040",
            )
    if "{body}" not in settings.VAPI_HMAC_PAYLOAD:
        yield Error(
            "VAPI_HMAC_PAYLOAD does not contain {body}: a signature would fit any message.",
            hint="Use the payload format of the custom credential at VAPI, like {timestamp}.{body}.",
            id="voiceapp.E041",
        )
    for name in ("VAPI_MODEL", "VAPI_VOICE", "VAPI_TRANSCRIBER"):
        if not PROVIDED.fullmatch(getattr(settings, name)):
            yield Error(
                f"{name} does not name a provider and what it provides.",
                hint=f"Set {name} like openai/gpt-4.1.",
                id="voiceapp.E042",
            )
    if settings.VAPI_API_KEY and not settings.VAPI_SERVER_SECRET.strip(" ,"):
        yield Warning(
            "VAPI_SERVER_SECRET is not set: agents at VAPI can use no tool, and their calls get no report.",
            hint="Set it to the secret of the server URL at VAPI: at least 32 random characters.",
            id="voiceapp.W020",
        )
    if (
        settings.VAPI_SERVER_AUTH == Method.HMAC
        and settings.VAPI_SERVER_SECRET
        and not settings.VAPI_SERVER_CREDENTIAL_ID
    ):
        yield Warning(
            "VAPI_SERVER_AUTH is hmac, but VAPI_SERVER_CREDENTIAL_ID is not set: assistants are written without it.",
            hint="Set it to the id of the custom credential at VAPI that signs.",
            id="voiceapp.W021",
        )
