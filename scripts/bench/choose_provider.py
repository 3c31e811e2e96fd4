"""Sets the AI provider of every published agent of a throw-away database: choose_provider.py openai|vapi"""

from __future__ import annotations

import sys

import django


def choose(provider: str) -> None:
    django.setup()
    from agents.configuration.models import AgentVersion

    AgentVersion.objects.update(provider=provider)


if __name__ == "__main__":
    choose(sys.argv[1])
