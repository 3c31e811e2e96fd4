"""`manage.py create_api_key` prints a key that works, once, and explains what it cannot do."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents.organizations.models import ApiKey, Organization
from agents.organizations.services import find_key


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_standard_output_is_the_key_alone(harbour: Organization) -> None:
    out, err = run("harbour")
    key = find_key(out.strip())
    assert key is not None
    assert (key.organization, key.expires_at, key.created_by) == (harbour, None, "command line")
    assert out.strip() not in err
    assert out.count("\n") == 1


def test_the_organization_is_named_by_any_of_its_ids(harbour: Organization, meadow: Organization) -> None:
    for name in (str(harbour.pk), harbour.pk.hex, "harbour", "org_harbour"):
        run(name)
    assert ApiKey.objects.filter(organization=harbour).count() == 4


def test_options_are_stored_and_printed_as_json(harbour: Organization) -> None:
    out, _ = run("harbour", "--name", "till", "--scopes", "calls:read, calls:write", "--expires", "90d", "--json")
    printed = json.loads(out)
    key = find_key(printed["key"])
    assert key is not None
    assert (printed["name"], printed["scopes"]) == (key.name, key.scopes) == ("till", ["calls:read", "calls:write"])
    assert (printed["organization_id"], printed["prefix"]) == (str(harbour.pk), key.prefix)
    assert printed["expires_at"].endswith("Z")
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - dt.timedelta(days=90)) < dt.timedelta(minutes=1)


def test_a_date_lasts_to_its_end(harbour: Organization) -> None:
    out, _ = run("harbour", "--expires", "2999-12-31")
    key = find_key(out.strip())
    assert key is not None
    assert key.expires_at is not None
    assert key.expires_at.isoformat() == "2999-12-31T23:59:59.999999+00:00"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["charlie"], "There are: harbour"),
        (["00000000-0000-0000-0000-000000000000"], "no organization"),
        (["harbour", "--scopes", "calls:all"], "Scopes are: calls:read"),
        (["harbour", "--scopes", " , "], "Choose at least one"),
        (["harbour", "--expires", "soon"], "90d"),
        (["harbour", "--expires", "0d"], "90d"),
        (["harbour", "--expires", "2020-01-01"], "later time"),
        (["harbour", "--name", ""], "Give a name"),
        (["harbour", "--name", "a\nb"], "Give a name"),
        (["harbour", "--name", "a" * 81], "Give a name"),
    ],
)
def test_what_cannot_be_done_is_said_and_makes_nothing(harbour: Organization, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert not ApiKey.objects.exists()
