"""The bench's calls are as the product would have written them."""

from collections import defaultdict

import pytest
from fill_tool_calls import USED, topics_of_call, write_tool_calls

from sessions.calls.models import Call, ToolCall
from sessions.tests.builders import make_restaurant


@pytest.mark.django_db
def test_calls_of_the_bench_have_the_topics_of_the_tools_that_were_used_on_them() -> None:
    organization = make_restaurant()[0]
    calls = [
        Call(organization=organization, room_name=f"bench-{number}", topics=topics_of_call(number))
        for number in range(120)
    ]
    Call.objects.bulk_create(calls)
    assert write_tool_calls("bench-") == ToolCall.objects.count() > 2 * len(calls)
    assert {name for name, *_ in USED} == set(ToolCall.objects.values_list("name", flat=True))
    found = defaultdict[str, int](int)
    for tool in ToolCall.objects.select_related("call"):
        assert tool.call.topics & tool.topics == tool.topics
        found[str(tool.call_id)] |= tool.topics
    assert [found[str(call.pk)] for call in calls] == [call.topics for call in calls]
