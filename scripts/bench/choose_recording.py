"""Sets who records the phone calls of every agent of a throw-away database: choose_recording.py off|bridge"""

from __future__ import annotations

import sys

import django


def choose(recording: str) -> None:
    django.setup()
    from agents.configuration.models import AgentVersion

    AgentVersion.objects.update(recording=recording)


if __name__ == "__main__":
    choose(sys.argv[1])
