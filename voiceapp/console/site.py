"""The admin's site, whose pages list no apps: the sidebar (navigation.py) leads to each list."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Every page's context has it, and no page of ours shows it: what each user may do with each model, sorted by
        translated names, would be a fifth of a page's time. The list of one app and the search of pages read it.
        """
        return SimpleLazyObject(lambda: super(ConsoleSite, self).get_app_list(request, app_label))
