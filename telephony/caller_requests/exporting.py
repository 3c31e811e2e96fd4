"""One caller's data as a file: a ZIP with `data.json`, and the audio of recordings and voicemail."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from recordings.files import read_range
from recordings.models import Recording
from recordings.storage import file_name
from sessions.calls.models import Call
from voiceapp.providers.errors import ProviderError

from .finding import CallerData

# What is ours alone: credentials, leases, and what the search and the waveform are made of.
LEFT_OUT = frozenset({"words", "peaks", "process", "lease_expires_at", "request_digest", "provider_events", "secret"})
README = """\
data.json has everything that is stored of this number: calls with their transcripts, events, tool calls and recordings,
texts, orders and appointments. audio/ has the recordings and voicemail messages.
"""


def write_export(data: CallerData, into: IO[bytes]) -> None:
    """Audio is written a part at a time. A file that cannot be read is named in `data.json`, with the reason."""
    missing: dict[str, str] = {}
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for recording in Recording.objects.filter(call__in=data.calls.values("pk")).select_related("call"):
            if recording.has_file:
                name = f"audio/{recording.pk}-{Path(file_name(recording)).name}"
                if problem := _add_audio(archive, name, recording):
                    missing[name] = problem
        archive.writestr("data.json", json.dumps(_everything(data, missing), cls=DjangoJSONEncoder, indent=1,
                                                 ensure_ascii=False))  # fmt: skip


def _add_audio(archive: zipfile.ZipFile, name: str, recording: Recording) -> str:
    with archive.open(name, "w") as file:
        try:
            for part in read_range(recording):
                file.write(part)
        except ProviderError as fault:
            return str(fault)
    return ""


def _everything(data: CallerData, missing: Mapping[str, str]) -> dict[str, object]:
    return {
        "number": data.number,
        "calls": [_call(call) for call in data.calls.order_by("created_at")],
        "texts": _rows(data.texts.order_by("created_at")),
        "orders": [{**_row(order), "lines": _rows(order.lines.all())} for order in data.orders.order_by("created_at")],
        "appointments": _rows(data.appointments.order_by("starts_at")),
        "optOuts": _rows(data.opt_outs),
        "notRemembered": _rows(data.not_remembered),
        "audioThatCouldNotBeRead": missing,
    }


def _call(call: Call) -> dict[str, object]:
    """With every kind of row that belongs to it."""
    parts: dict[str, object] = {}
    for relation in Call._meta.related_objects:
        if relation.on_delete is models.CASCADE and relation.get_accessor_name() not in LEFT_OUT:
            rows = _rows(relation.related_model._default_manager.filter(**{relation.field.name: call}).order_by("pk"))
            if rows:
                parts[str(relation.get_accessor_name())] = rows
    return {**_row(call), **parts}


def _rows(rows: Iterable[models.Model]) -> list[dict[str, object]]:
    return [_row(row) for row in rows]


def _row(row: models.Model) -> dict[str, object]:
    """Its columns as they are kept. Empty ones are left out."""
    shown = (field for field in row._meta.concrete_fields if field.name not in LEFT_OUT and not _is_secret(field.name))
    values = {field.attname: getattr(row, field.attname) for field in shown}
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, b"")}


def _is_secret(name: str) -> bool:
    return name.startswith("sealed_") or "token" in name or "secret" in name
