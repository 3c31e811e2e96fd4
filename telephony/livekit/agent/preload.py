"""What each job would do at its start, done once: imported by the process from which the jobs are forked.

A job begins sooner, and shares the memory (livekit-agents' `preload_modules`).
"""

from __future__ import annotations

from collections.abc import Iterator

from livekit.agents.tokenize.basic import hyphenate_word
from livekit.agents.utils import http_context
from livekit.plugins.openai.realtime import realtime_model  # noqa: F401 - with the types of its events
from openai import BaseModel

from . import jobs  # noqa: F401 - with Django


def models_of_events(base: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """OpenAI's types of Realtime. Each is built at its first use otherwise."""
    for model in base.__subclasses__():
        if model.__module__.startswith("openai.types.realtime."):
            yield model
        yield from models_of_events(model)


for event in models_of_events():
    event.model_rebuild()
# The certificates of this machine, parsed.
http_context._create_ssl_context()
# Captions are spread over the sound by syllables; the first word builds the tables.
hyphenate_word("hello")
