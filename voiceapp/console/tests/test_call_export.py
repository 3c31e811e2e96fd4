"""Exports of the list of calls: what is in the file, for whom, and that nobody's spreadsheet runs it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.call_lists.exporting import NAMES, batches, lines_of
from sessions.calls.models import Call
from sessions.exports.models import Export
from sessions.exports.services import ExportLog
from voiceapp.core.spreadsheets import escaped

from .world import World

LIST = "/admin/voice_sessions/call/"
HOSTILE = ("=1+1", "\tx", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1")
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")


def export(client: Client, file_format: str, query: str = "") -> list[dict[str, Any]]:
    response: Any = client.post(f"{LIST}export/", {"format": file_format, "query": query})
    assert isinstance(response, StreamingHttpResponse), response
    assert response.headers["Content-Disposition"].startswith('attachment; filename="calls-')
    return read(b"".join(response), file_format)


def read(content: bytes, file_format: str) -> list[dict[str, Any]]:
    if file_format == "json":
        found: list[dict[str, Any]] = json.loads(content)
        return found
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_the_file_has_the_calls_of_the_filtered_list(
    file_format: str, harbour: World, meadow: World, client_of_alice: Client
) -> None:
    harbour.organization.time_zone = "Europe/Berlin"
    harbour.organization.save()
    call = harbour[Call]
    began = dt.datetime(2026, 11, 23, 22, 30, 5, 999, tzinfo=dt.UTC)
    Call.objects.filter(pk=call.pk).update(created_at=began, end_reason="transferred")
    Call.objects.create(organization=harbour.organization, state="failed")
    (row,) = export(client_of_alice, file_format, "state=completed&q=words")
    assert tuple(row) == NAMES
    assert row["callId"] == str(call.pk)
    assert row["startedAt"] == "2026-11-23T23:30:05+01:00"
    assert row["timeZone"] == "Europe/Berlin"
    assert row["topics"] == ("menu person" if file_format == "csv" else ["menu", "person"])
    assert (row["agent"], str(row["agentVersion"]), str(row["turns"])) == ("Harbour agent", "1", "1")
    assert (row["orderTotal"], row["currency"], str(row["durationS"])) == ("11.00", "EUR", "65")
    assert row["callerNumber"].lstrip("'") == call.caller_number
    assert len(export(client_of_alice, file_format)) == 2
    assert export(client_of_alice, file_format, "state=missed") == []


def test_numbers_are_masked_for_those_who_see_them_masked(harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member("viewer"))
    number = harbour[Call].caller_number
    for file_format in ("csv", "json"):
        (row,) = export(client, file_format)
        assert row["callerNumber"] == f"…{number[-2:]}"
        assert number not in str(row)
    assert export(client, "csv", "number=" + number[3:7]) == []


def test_of_a_call_that_we_placed_the_number_dialed_is_the_customers(harbour: World) -> None:
    client, call = Client(), harbour[Call]
    client.force_login(harbour.member("viewer"))
    Call.objects.filter(pk=call.pk).update(direction="outbound", dialed_number="+4917655512345")
    (row,) = export(client, "json")
    assert (row["callerNumber"], row["dialedNumber"]) == (call.caller_number, "…45")
    page = client.get(f"{LIST}{call.pk}/change/").content.decode()
    assert "…45" in page
    assert "55512345" not in page.replace(" ", "")


def test_no_cell_is_a_formula_and_json_has_what_was_written(harbour: World, client_of_alice: Client) -> None:
    for text in HOSTILE:
        Call.objects.filter(pk=harbour[Call].pk).update(caller_number=text, transferred_to=text, room_name=text)
        Organization.objects.filter(pk=harbour.organization.pk).update(name=text)
        (row,) = export(client_of_alice, "csv")
        for name in ("callerNumber", "transferredTo", "roomName", "organization"):
            assert row[name] == f"'{text}" == escaped(text)
        assert export(client_of_alice, "json")[0]["transferredTo"] == text
    Call.objects.filter(pk=harbour[Call].pk).update(transferred_to='a";"b,\n=1')
    assert export(client_of_alice, "csv")[0]["transferredTo"] == 'a";"b,\n=1'


def test_each_call_is_sent_once_while_others_come_in_with_as_many_queries_for_each_batch(harbour: World) -> None:
    same = timezone.now()
    for _ in range(7):
        Call.objects.create(organization=harbour.organization)
    Call.objects.filter(organization=harbour.organization).update(created_at=same)
    before = set(Call.objects.values_list("pk", flat=True))
    sent, queries = list[Call](), list[int]()
    parts = batches(Call.objects.all(), size=3)
    while True:
        with CaptureQueriesContext(connection) as captured:
            part = next(parts, None)
        if part is None:
            break
        queries.append(len(captured))
        sent += part
        Call.objects.create(organization=harbour.organization)
    assert [call.pk for call in sent] == sorted(before, reverse=True)
    assert len(set(queries)) == 1 or max(queries) <= 5


def test_an_export_is_logged_without_what_was_typed_of_a_caller(harbour: World, client_of_alice: Client) -> None:
    export(client_of_alice, "csv", "number=%2B4930231&state=completed&q=words")
    logged = Export.objects.get(principal="alice")
    assert (logged.organization, logged.rows, logged.has_numbers) == (harbour.organization, 1, True)
    assert logged.filters == "number=…&q=…&state=completed"
    export(client_of_alice, "json")
    assert "alice" in client_of_alice.get("/admin/voice_sessions/export/").content.decode()
    assert Export.objects.filter(principal="alice").latest("pk").rows == 1


def test_a_file_that_was_broken_off_is_logged_as_not_finished(harbour: World) -> None:
    logged = Export.objects.create(organization=harbour.organization, kind="calls", way="list", file_format="csv")
    lines = lines_of(Call.objects.all(), "csv", sees_numbers=lambda _: True, log=ExportLog([logged]))
    next(lines)
    del lines
    logged.refresh_from_db()
    assert logged.rows is None


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"format": "csv", "query": "cost_from=cheap"}, "Nothing was exported. Cost (USD), from: Enter a number."),
        ({"format": "csv", "query": "owner__startswith=a"}, "Nothing was exported. The list cannot be filtered"),
        ({"format": "csv", "query": "q=" + "x" * 1100}, "Nothing was exported. The search is too long."),
    ],
)
def test_a_list_that_cannot_be_understood_is_not_exported(
    posted: dict[str, str], sentence: str, harbour: World, client_of_alice: Client
) -> None:
    response = client_of_alice.post(f"{LIST}export/", posted)
    assert response.status_code == 302
    assert sentence in client_of_alice.get(LIST).content.decode()
    assert client_of_alice.post(f"{LIST}export/", {"format": "exe"}).status_code == 404
    assert client_of_alice.get(f"{LIST}export/").status_code == 405


def test_a_role_that_sees_no_calls_exports_none(harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member("kitchen"))
    assert client.post(f"{LIST}export/", {"format": "csv"}).status_code == 403
    assert not Export.objects.exclude(principal__endswith="exporter").exists()


def test_the_command_writes_the_same(harbour: World, meadow: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_calls", organization="harbour", filters="?state=completed&view=3", format="json")
    (row,) = read(capsys.readouterr().out.encode(), "json")
    assert row["callId"] == str(harbour[Call].pk)
    assert row["callerNumber"].startswith("…")
    with pytest.raises(CommandError, match="There is no filter “nonsense”"):
        call_command("export_calls", organization="harbour", filters="nonsense=1")
    with pytest.raises(CommandError, match="Choose one of the list"):
        call_command("export_calls", organization="harbour", filters="state=happy")
    with pytest.raises(CommandError, match="There is no organization"):
        call_command("export_calls", organization="nowhere")
