"""Hooks of schemathesis: the values of its requests, and the errors that valid requests may get.

Most rooms are of calls that it started itself, every second of them connected; most orders name items of the menu.
"""

from __future__ import annotations

import os
import random
import re
from typing import Any

import requests
import schemathesis

ROOM_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
ROOM_FIELDS = ("roomName", "room_name")
ITEMS = ("Margherita", "Funghi", "Tiramisu")
MOST_KEPT = 5
# What no schema can express: which values go together, and what a call's state allows.
RULES = (
    "A text contains a character that cannot be kept",
    "A value cannot be kept",
    "Use this API's fields",
    "Call not active",
    "Enter a valid URL",
    "Give a room's name, or listAll=true",
    "Name the call's room in roomName, or set listAll",
    "A caller cannot be the callee",
    "Nothing to update",
    "OpenAI has no",  # the list depends on the endpoint
    "is not a model name",
    "Remove the invisible character",
    "This is one line",
    "This endpoint is not allowed",
    "Whom a user-to-user call is for has to be named",
    "does not become",
    "listAll stands alone",
    "may not be blank",  # of spaces alone
    "Search for at least one word or number",  # of signs alone
    "This is no cursor of this list",
    "Choose one of the list",  # an agent of others
    "This is before the beginning",
    "digits of the number",
    "Choose a day from",
    "decimal places",
    "digits in total",
)
# All providers are up: errors that they may still return.
PROVIDER_ERRORS = ("AI agent not ready", "OpenAI returned 400", "OpenAI returned 404")
rooms: list[str] = []
# The order of requests is schemathesis' own and repeats with its seed; so does this.
choice = random.Random(0)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    for sent in (case.query, case.body):
        if not isinstance(sent, dict) or choice.random() < 0.2:
            continue
        for name in ROOM_FIELDS:
            if rooms and isinstance(sent.get(name), str) and ROOM_NAME.fullmatch(sent[name]):
                sent[name] = choice.choice(rooms)
        if len(str(sent.get("orgId"))) == 36:
            sent["orgId"] = os.environ["FUZZ_ORGANIZATION"]
        for line in sent["lines"] if isinstance(sent.get("lines"), list) else ():
            if isinstance(line, dict) and isinstance(line.get("item"), str) and line["item"].strip():
                line["item"] = choice.choice(ITEMS)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    begins = case.operation.definition.raw.get("operationId") in ("startSession", "createToken")
    if not begins or response.status_code != 200:
        return
    body = response.json()
    room = body.get("session", body).get("roomName")
    if not room:
        return
    rooms[:] = [*rooms[1 - MOST_KEPT :], room]
    if choice.random() < 0.5:
        change = {"roomName": room, "status": "connected"}
        key = {"Authorization": response.request.headers["Authorization"]}
        requests.patch(f"{case.operation.base_url}/api/voice/session", json=change, headers=key, timeout=10)


@schemathesis.check
def valid_requests_fail_by_known_rules_alone(context: Any, response: Any, case: Any) -> None:
    """In the place of schemathesis' own check, which cannot know the rules."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if is_valid and response.status_code == 400 and not any(rule in response.text for rule in RULES):
        raise AssertionError(f"A valid request fails: {response.text[:1000]}")


@schemathesis.check
def no_server_error_is_ours(context: Any, response: Any, case: Any) -> None:
    """In the place of schemathesis' own check, which takes the documented errors of providers for ours."""
    if response.status_code >= 500 and not any(error in response.text for error in PROVIDER_ERRORS):
        raise AssertionError(f"A bug of ours: {response.text[:1000]}")
