"""`manage.py export_menu` and `import_menu`: the same differences as on the page; a dry run saves nothing."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from agents.catalog.models import Menu
from agents.tests.builders import item_named, make_menu, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def menu() -> Menu:
    return make_menu(make_organization())


def run(name: str, *arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_dry_run_says_what_an_import_then_does(menu: Menu, tmp_path: Path) -> None:
    file = tmp_path / "menu.json"
    run("export_menu", "trattoria-alice", "--output", file)
    file.write_text(file.read_text().replace('"5.00"', '"5.50"'))
    line = "~ item Desserts › Tiramisu: price 5.00 → 5.50\n"
    out, err = run("import_menu", file, menu.pk, "--dry-run")
    assert (out, err) == (line, "0 added, 1 changed, 0 missing. Nothing was saved (dry run).\n")
    assert str(item_named(menu.organization, "Tiramisu").price) == "5.00"
    assert run("import_menu", file, menu.pk) == (line, "0 added, 1 changed, 0 missing. Saved.\n")
    assert str(item_named(menu.organization, "Tiramisu").price) == "5.50"
    assert json.loads(run("import_menu", file, menu.pk, "--json")[0]) == {"saved": True, "changes": []}


def test_what_cannot_be_done_says_what_to_do(menu: Menu, tmp_path: Path) -> None:
    file = tmp_path / "menu.csv"
    file.write_text("kind,in,name,price\nitem,Sweets,Cake,5\n")
    with pytest.raises(CommandError, match="1 problem: nothing was imported"):
        run("import_menu", file, menu.pk)
    with pytest.raises(CommandError, match=f"no menu “nowhere”. Give an id: {menu.pk} "):
        run("export_menu", "nowhere")
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run("import_menu", tmp_path / "none.csv", menu.pk)
    with pytest.raises(CommandError, match="XLSX is no text"):
        run("export_menu", menu.pk, "--format", "xlsx")
