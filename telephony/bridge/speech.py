"""Why the agent is asked to speak."""

from __future__ import annotations

import enum


class Purpose(enum.StrEnum):
    ANSWER = "answer"  # its own words; the others are given to it
    GREETING = "greeting"
    REPROMPT = "reprompt"
    FILLER = "filler"
    GOODBYE = "goodbye"
    MISSED = "missed"
