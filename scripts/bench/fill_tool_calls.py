"""The tools that the agent used on calls of the bench, by which the list knows what was asked about."""

from __future__ import annotations

from typing import Any

# The name of a tool, its outcome, and on which calls: the number of the call divided by the first leaves the second.
# As in life, a few topics are on many calls; `look_up_items` that found nothing on few.
USED = (
    ("look_up_items", "done", 4, 1),
    ("look_up_items", "refused", 25, 2),
    ("look_up_services", "done", 10, 4),
    ("change_order", "done", 3, 0),
    ("choose_delivery", "done", 6, 0),
    ("read_back_order", "done", 3, 0),
    ("submit_order", "done", 3, 0),
    ("find_appointment_times", "done", 8, 1),
    ("book_appointment", "done", 16, 1),
    ("move_appointment", "done", 100, 7),
    ("get_opening_hours", "done", 5, 3),
    ("send_text", "done", 12, 5),
    ("transfer_call", "done", 14, 3),
)
# Call after call, as they come in.
WRITE = """
INSERT INTO voice_sessions_toolcall
    (call_id, tool_call_id, name, arguments, output, outcome, turn, duration_ms, at)
SELECT id, 'tool_' || used.tool, name, '{}', '{"say": "Yes."}', outcome, 1, 40, created_at
FROM (
    SELECT id, created_at, CAST(substr(room_name, %s) AS integer) AS number
    FROM voice_sessions_call WHERE room_name LIKE %s
) AS numbered
JOIN used ON number %% divisor = remainder
ORDER BY created_at, used.tool
"""


def topics_of_call(number: int) -> int:
    """As the product writes them with the tool calls, bit by bit."""
    from sessions.calls.topics import bits_of_tool

    topics = 0
    for tool, outcome, divisor, remainder in USED:
        if number % divisor == remainder:
            topics |= bits_of_tool(tool, is_refused=outcome == "refused")
    return topics


def write_tool_calls(rooms: str) -> int:
    """About two for each call whose room's name is `rooms` and a number; how many."""
    from django.db import connection, transaction

    from sessions.calls.models import ToolCall

    columns = "tool integer, name varchar(64), outcome varchar(8), divisor integer, remainder integer"
    rows: list[Any] = [(tool, *each) for tool, each in enumerate(USED)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE used ({columns})")
        cursor.executemany("INSERT INTO used VALUES (%s, %s, %s, %s, %s)", rows)
        cursor.execute(WRITE, [len(rooms) + 1, f"{rooms}%"])
    return ToolCall.objects.count()
