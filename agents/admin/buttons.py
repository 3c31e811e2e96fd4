"""Buttons on a row's page that do one thing: a form with a POST each, no script, checked and written to the history."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from agents.roles import Power
from voiceapp.lib.errors import ApplicationError

from .theme import ModelAdmin

M = TypeVar("M", bound=models.Model)


def always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Button:
    """`does` names a method (request, row, text); `asks` labels a text.

    The method returns the sentence that is shown and written to the history, or an answer in the place of the page.
    """

    name: str
    label: str
    does: str
    icon: str = "play_arrow"
    style: str = "plain"
    power: Power = Power.OPERATE
    confirm: str = ""
    asks: str = ""
    is_offered: Callable[[Any], bool] = always


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link that stands among the buttons."""

    label: str
    icon: str
    url: str
    is_new_tab: bool = False


class ButtonsAdmin(ModelAdmin[M]):
    """Draws the buttons that fit the row and the user, and obeys them."""

    buttons: tuple[Button, ...] = ()
    change_form_outer_before_template = "admin/parts/buttons.html"

    def has_power(self, request: HttpRequest, power: Power, row: M | None = None) -> bool:
        raise NotImplementedError

    def offered(self, request: HttpRequest, row: M) -> Iterator[Button]:
        for button in self.buttons:
            if button.is_offered(row) and self.has_power(request, button.power, row):
                yield button

    def page_links(self, request: HttpRequest, row: M) -> tuple[PageLink, ...]:
        return ()

    def get_urls(self) -> list[URLPattern]:
        meta = self.opts
        view = self.page(self.press)
        name = f"{meta.app_label}_{meta.model_name}_press"
        return [path("<path:object_id>/press/<slug:button_name>/", view, name=name), *super().get_urls()]

    def page(self, method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """A view of this admin's own, in the zone of the record that its address names (agents/local_time.py)."""

        @functools.wraps(method)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return method(request, *args, **kwargs)

        guarded: Any = self.admin_site.admin_view(view)
        guarded.model_admin = self
        return cast("Callable[..., HttpResponse]", guarded)

    def press(self, request: HttpRequest, object_id: str, button_name: str) -> HttpResponse:
        """Do what the button says. A row of another organisation does not exist here."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        button = next((button for button in self.buttons if button.name == button_name), None)
        if row is None or button is None:
            raise Http404("There is no such row or button.")
        if not self.has_power(request, button.power, row):
            raise PermissionDenied
        if not button.is_offered(row):
            messages.warning(request, f"“{button.label}” is no longer possible: somebody was faster.")
            return HttpResponseRedirect(self.page_of(row))
        try:
            said: str | HttpResponse = getattr(self, button.does)(request, row, request.POST.get("text", "").strip())
        except ApplicationError as exc:
            messages.error(request, str(exc))
        else:
            if isinstance(said, HttpResponse):
                self.log_change(request, row, f"{button.label}.")
                return said
            messages.success(request, said)
            self.log_change(request, row, said[:200])
        return HttpResponseRedirect(self.list_page() if request.GET.get("to") == "list" else self.page_of(row))

    def list_page(self) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def page_of(self, row: models.Model) -> str:
        meta = row._meta
        return reverse(
            f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_change", args=(quote(str(row.pk), safe=""),)
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        context["buttons"] = [] if obj is None else list(self.offered(request, obj))
        context["page_links"] = () if obj is None else self.page_links(request, obj)
        context["press_url"] = "" if obj is None else f"{self.page_of(obj).removesuffix('change/')}press/"
        response: TemplateResponse | HttpResponse = super().render_change_form(
            request, context, add=add, change=change, form_url=form_url, obj=obj
        )
        return response
