"""`manage.py reseal_keys`: after SECRET_KEY was rotated, before its predecessor leaves SECRET_KEY_FALLBACKS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Field, Model

from voiceapp.core.secret_box import SealBroken, resealed

# How the fields of encrypted secrets are named. Their models say by `place` what each is encrypted for.
SEALED = "sealed_"


def sealed_fields() -> Iterator[tuple[type[Model], Field[Any, Any]]]:
    """Every one of every model."""
    for model in apps.get_models():
        yield from ((model, field) for field in model._meta.concrete_fields if field.name.startswith(SEALED))


class Command(BaseCommand):
    help = (
        "Encrypt every secret in the database with the current SECRET_KEY: keys of realtime endpoints, passwords of "
        "connected calendars, secrets of webhooks and of second factors, tokens of calls. Then "
        "SECRET_KEY_FALLBACKS can be emptied."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done: Counter[str] = Counter()
        unreadable: list[str] = []
        for model, field in sealed_fields():
            for row in model._default_manager.exclude(**{field.name: ""}):
                kind = str(row.place).partition("|")[0]  # type: ignore[attr-defined]
                try:
                    _reseal(row, field.name)
                except SealBroken:
                    unreadable.append(f"the {kind} {_owner(row)}")
                else:
                    done[kind] += 1
        kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(done.items()))
        self.stdout.write(f"Sealed by SECRET_KEY: {done.total()}{f' ({kinds})' if kinds else ''}.")
        if unreadable:
            raise CommandError(
                "No secret key opens these. Enter them again in the admin (a call token is removed when its call is "
                f"over): {', '.join(unreadable)}"
            )


def _reseal(row: Model, field: str) -> None:
    """Raises SealBroken, and leaves what is there."""
    before = getattr(row, field)
    after = resealed(before, place=row.place)  # type: ignore[attr-defined]
    # Only what was read: somebody may have entered another secret meanwhile.
    type(row)._default_manager.filter(pk=row.pk, **{field: before}).update(**{field: after})


def _owner(row: Model) -> str:
    found: Any = row
    for name in row.tenant_path.removesuffix("_id").split("__"):  # type: ignore[attr-defined]
        found = getattr(found, name)
    return f"{row} of {found}"
