"""Creates many tables in one operation of a migration.

Django renders every related model anew after each CreateModel, and most of ours are related: that was nine tenths of
the first `migrate`, for which each `make run` in a new folder waits, and each run of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


def tables_at_once(operations: Sequence[Operation]) -> list[Operation]:
    """The same, with each row of CreateModels as one operation."""
    together: list[Operation] = []
    for creates, each in groupby(operations, lambda operation: isinstance(operation, CreateModel)):
        row = list(each)
        together += [CreateModels(row)] if creates else row
    return together


class CreateModels(Operation):
    """Several CreateModels, each of which may refer to all of them."""

    def __init__(self, operations: list[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # The models are rendered once, when they are needed next.
        state.__dict__.pop("apps", None)
        for each in self.operations:
            each.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for each in self.operations:
            each.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for each in reversed(self.operations):
            each.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Create {len(self.operations)} models"
