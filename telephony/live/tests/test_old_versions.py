"""A version that was published before a rule was known still answers calls; the timeline says what was replaced."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents.configuration.models import AgentVersion
from sessions.calls.models import CallEvent

from .conftest import end_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

OLD: list[tuple[dict[str, Any], list[str]]] = [
    ({"language": "en-US"}, []),
    ({"language": "zh-Hant"}, []),
    ({"voice": "nova"}, []),
    ({"model": "gpt-4o-realtime-preview"}, []),
    ({"language": "English"}, ["language"]),
    ({"voice": "nobody"}, ["voice"]),
    ({"model": "the best one"}, ["model"]),
    ({"vad_threshold": 7.0, "vad_silence_ms": 20_000}, ["threshold", "silence_duration_ms"]),
    ({"turn_detection": "loud_vad", "noise_reduction": "strong"}, ["noise_reduction", "turn_detection"]),
    ({"tools": "end_call"}, []),
    ({"tools": ["end_call", "launch rockets"]}, []),
    ({"prompt": "Be brief.\n" * 9_000}, ["instructions"]),
]


@pytest.mark.parametrize(("stored", "replaced"), OLD, ids=range(len(OLD)))
async def test_a_call_is_answered_by_an_old_version(
    handset: Handset, stored: dict[str, Any], replaced: list[str]
) -> None:
    await sync_to_async(lambda: AgentVersion.objects.update(**stored))()
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await handset.hang_up()
    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")
    events = CallEvent.objects.filter(kind="field_replaced").order_by("id").values_list("detail__field", flat=True)
    assert [each async for each in events] == replaced
