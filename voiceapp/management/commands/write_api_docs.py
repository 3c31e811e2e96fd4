"""`manage.py write_api_docs`: writes docs/api.md from the schema."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand

from voiceapp.core.api.docs import api_docs, document


class Command(BaseCommand):
    help = "Write docs/api.md from the schema. Example: manage.py write_api_docs"

    def handle(self, *args: object, **options: object) -> None:
        (settings.BASE_DIR / "docs/api.md").write_text(api_docs(document()))
        self.stdout.write("docs/api.md is written.")
