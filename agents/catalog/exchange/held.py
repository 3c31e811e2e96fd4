"""A file between its preview and its confirmation: signed, in the page itself, so that nothing is stored meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Menu
from voiceapp.core.errors import ApplicationError

from .table import Row, Table

SALT = "agents.catalog.exchange"
VALID_S = 4 * 60 * 60
# Below the limit of a form, with room for the rest of it.
MOST_CHARACTERS = 900_000


class NotHeld(ApplicationError):
    """What was sent is no preview of this menu any more."""

    message = _("This preview is too old, or of another menu. Upload the file again.")


@dataclass(frozen=True, slots=True)
class Held:
    """What the person saw: the file's rows, and the digest of the menu at that time."""

    table: Table
    digest: str
    file_name: str
    with_stock: bool


def hold(menu: Menu, held: Held) -> str:
    """As text for a hidden field. Raises ApplicationError if it is too long for one."""
    table = held.table
    rows = [[row.number, [row.cells.get(column) for column in table.columns]] for row in table.rows]
    content = [menu.pk, held.digest, held.file_name, held.with_stock, list(table.columns), rows, list(table.notes)]
    text = signing.dumps(content, salt=SALT, compress=True)
    if len(text) > MOST_CHARACTERS:
        raise ApplicationError(gettext("The file holds too much text for one import. Split it, and import the parts."))
    return text


def take(menu: Menu, text: str) -> Held:
    """What was held. Raises NotHeld."""
    try:
        pk, digest, file_name, with_stock, columns, rows, notes = signing.loads(text, salt=SALT, max_age=VALID_S)
    except (signing.BadSignature, ValueError) as exc:
        raise NotHeld from exc
    if pk != menu.pk:
        raise NotHeld
    read = tuple(
        Row(number, {column: cell for column, cell in zip(columns, cells, strict=True) if cell is not None})
        for number, cells in rows
    )
    return Held(Table(tuple(columns), read, tuple(notes)), digest, file_name, with_stock)
