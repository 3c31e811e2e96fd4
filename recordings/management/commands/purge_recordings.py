"""`manage.py purge_recordings [--organization SLUG] [--dry-run]`: delete recordings by their age."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.organizations.models import Organization
from recordings.models import Recording
from recordings.retention import expired_recordings, why_deleted
from recordings.services.deleting import delete_recording
from voiceapp.providers.errors import ProviderError


class Command(BaseCommand):
    help = (
        "Delete recordings that are older than their organization keeps them, here and at the provider that made them. "
        "The schedule does the same every hour. Nothing of an organization under a legal hold is deleted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only those of this organization")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *args: Any, organization: str | None, dry_run: bool, **options: Any) -> None:
        expired = expired_recordings(now=timezone.now(), organization=_named(organization)).defer("peaks")
        deleted, failed = 0, list[str]()
        # The whole list: the connection is released before each request to a provider.
        for recording in list(expired):
            self.stdout.write(f"{recording.created_at:%Y-%m-%d}  {recording.get_source_display()}  {recording.pk}")
            if not dry_run:
                failed += _failure(recording)
            deleted += 1
        verb = "would be deleted" if dry_run else "deleted"
        self.stdout.write(f"{deleted - len(failed)} recordings {verb}.")
        if failed:
            raise CommandError("Not deleted; run it again later:\n" + "\n".join(f"  {each}" for each in failed))


def _named(slug: str | None) -> Organization | None:
    if slug is None:
        return None
    found = Organization.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no organization “{slug}”. Name it as in its call page's address.")
    return found


def _failure(recording: Recording) -> list[str]:
    try:
        delete_recording(recording, why=why_deleted(recording))
    except ProviderError as fault:
        return [f"{recording.pk}: {fault}"]
    return []
