"""What a newcomer to the API reads first: on the page, in docs/api.md, and as the description in the document."""

from __future__ import annotations

import json
from dataclasses import dataclass

from voiceapp.core.api.errors import ErrorShape

from .refusals import TOO_OFTEN, UNAUTHORIZED, body_of, refused

CONFLICT = refused(409, "Active session already exists for this room", "End that call, or take another name.")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading, paragraphs, and examples: (what it is, the text, its language)."""

    name: str
    paragraphs: tuple[str, ...]
    examples: tuple[tuple[str, str, str], ...] = ()


def introduction(base: str) -> tuple[Chapter, ...]:
    """`base` is the address of the product."""
    return (
        Chapter(
            "Start",
            (
                "Every line for a shell on this page works when pasted. It needs two variables: where the "
                "product is, and a key of your organization's. An owner or manager makes one in the admin "
                "(House, API keys); whoever runs the server may print one, here for the organization of `make "
                "run`:",
            ),
            (
                (
                    "Set the variables",
                    f"BASE={base}\nKEY=$(.venv/bin/python manage.py create_api_key bella-napoli --name mine)",
                    "sh",
                ),
            ),
        ),
        Chapter(
            "How to ask",
            (
                "Send `Authorization: Bearer` with an API key (`va_…`) or a Clerk session token, or "
                "`X-API-Key` with a key; browsers may send Clerk's cookie or that of the admin's login. Two "
                "credentials at once are refused. A key opens what its scopes allow.",
                "Bodies are JSON of at most 256 KiB, with or without `Content-Length`. Texts have no NUL and no half "
                "of a surrogate pair; spaces around them do not count. Fields that are not named here are refused, and "
                "so are names that stand twice, parameters of the query, and fields in the body of `GET` or "
                "`DELETE`. Answers are JSON. Moments are ISO 8601 in UTC, durations whole seconds.",
                "What belongs to another organization does not exist for you: 404. 403 is for what belongs to "
                "your own organization and not to you.",
            ),
        ),
        Chapter(
            "How often",
            (
                "Requests are counted, each kind by itself, per user or key; `/realtime_session` per "
                "organization. Answers to counted requests carry `X-RateLimit-Limit`, `X-RateLimit-Remaining` "
                "and `X-RateLimit-Reset`. One too many is answered 429 with `Retry-After`. A request that is "
                "refused for its form creates nothing and is not counted as a creation. What ends a call or stops a "
                "recording is never limited. Many wrong credentials from one address are answered 429, too.",
            ),
            (("429", pretty(body_of(ErrorShape.VOICE, TOO_OFTEN)), "json"),),
        ),
        Chapter(
            "Refusals",
            (
                "An error names its kind in `error`, tells what to do in `message`, and facts in `details`; "
                "401 and 429 are shorter. `/realtime_session` and the internal API have shapes of their own. A"
                " method that an address does not take is answered 405 with `Allow`, in the same shape; every "
                "answer carries an `X-Request-ID`, which the server's log knows.",
            ),
            (
                ("Most endpoints", pretty(body_of(ErrorShape.VOICE, CONFLICT)), "json"),
                ("401", pretty(body_of(ErrorShape.VOICE, UNAUTHORIZED)), "json"),
                ("/realtime_session", pretty(body_of(ErrorShape.REALTIME_SESSION, UNAUTHORIZED)), "json"),
                ("Internal", pretty(body_of(ErrorShape.INTERNAL, UNAUTHORIZED)), "json"),
            ),
        ),
    )


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
