"""A new database has its tables soon: Django renders all models once for each of our migrations, not for each table."""

from __future__ import annotations

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState

from voiceapp.core.tables_at_once import CreateModels, tables_at_once

OURS = ("agents", "voice_sessions", "recordings", "telephony")


def test_each_app_creates_its_tables_in_one_operation() -> None:
    migrations = MigrationLoader(None).disk_migrations
    assert all(isinstance(migrations[app, "0001_initial"].operations[0], CreateModels) for app in OURS)
    assert not [
        each for app in OURS for each in migrations[app, "0001_initial"].operations if type(each) is CreateModel
    ]


def test_models_are_rendered_with_all_that_one_operation_creates() -> None:
    state = ProjectState()
    assert state.apps.all_models["shop"] == {}
    (operation,) = tables_at_once([CreateModel(name, []) for name in ("Order", "Line")])
    operation.state_forwards("shop", state)
    assert set(state.apps.all_models["shop"]) == {"order", "line"}
    assert operation.describe() == "Create 2 models"
