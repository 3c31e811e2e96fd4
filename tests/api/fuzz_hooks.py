"""Read by schemathesis: what it shall name, and which refusals of what the document allows are right.

Most rooms are those of calls that it has started itself, every second of them connected; most orders are the demo's.
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
# What no schema can say: how values go together, and what a call's state allows.
RULES = (
    "A text contains a character that cannot be kept",
    "A value cannot be kept",
    "Ask in this API's words",
    "Call not active",
    "Enter a valid URL",
    "Give a room's name, or listAll=true",
    "Name the call's room in roomName, or ask for listAll",
    "Nobody can call themselves",
    "Nothing to update",
    "OpenAI has no",  # what there is depends on whose endpoint is asked
    "is not a model name",
    "Remove the invisible character",
    "This endpoint is not allowed",
    "Whom a user-to-user call is for has to be named",
    "does not become",
    "listAll stands alone",
    "may not be blank",  # of spaces alone
)
# All companies are up: what they may still say no to.
FAULTS_OF_OTHERS = ("AI agent not ready", "OpenAI returned 400", "OpenAI returned 404")
rooms: list[str] = []
# The order of what is asked is schemathesis' own and repeats by its seed; so shall this.
choice = random.Random(0)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    for told in (case.query, case.body):
        if not isinstance(told, dict) or choice.random() < 0.2:
            continue
        for name in ROOM_FIELDS:
            if rooms and isinstance(told.get(name), str) and ROOM_NAME.fullmatch(told[name]):
                told[name] = choice.choice(rooms)
        if len(str(told.get("orgId"))) == 36:
            told["orgId"] = os.environ["FUZZ_ORGANIZATION"]
        for line in told["lines"] if isinstance(told.get("lines"), list) else ():
            if isinstance(line, dict) and isinstance(line.get("item"), str) and line["item"].strip():
                line["item"] = choice.choice(ITEMS)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    begins = case.operation.definition.raw.get("operationId") in ("startSession", "createToken")
    if not begins or response.status_code != 200:
        return
    answer = response.json()
    room = answer.get("session", answer).get("roomName")
    if not room:
        return
    rooms[:] = [*rooms[1 - MOST_KEPT :], room]
    if choice.random() < 0.5:
        told = {"roomName": room, "status": "connected"}
        key = {"Authorization": response.request.headers["Authorization"]}
        requests.patch(f"{case.operation.base_url}/api/voice/session", json=told, headers=key, timeout=10)


@schemathesis.check
def what_the_document_allows_is_refused_by_rules_alone(context: Any, response: Any, case: Any) -> None:
    """In the place of schemathesis' own check, which cannot know the rules."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if is_valid and response.status_code == 400 and not any(rule in response.text for rule in RULES):
        raise AssertionError(f"The document allows what is refused: {response.text[:1000]}")


@schemathesis.check
def no_fault_is_ours(context: Any, response: Any, case: Any) -> None:
    """In the place of schemathesis' own check, to which what the document tells of companies is a fault of ours."""
    if response.status_code >= 500 and not any(fault in response.text for fault in FAULTS_OF_OTHERS):
        raise AssertionError(f"A fault of ours: {response.text[:1000]}")
