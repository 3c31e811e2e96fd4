"""Buttons on a row's page: each is checked, written to the history, and saves the page's form first."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django_stubs_ext import StrOrPromise

from agents.organizations.roles import Power
from voiceapp.core.errors import ApplicationError

from .form_errors import errors_of
from .history import UNCHANGED
from .theme import ModelAdmin

M = TypeVar("M", bound=models.Model)
# A button that belongs to the page's form posts its name, and the text of its prompt, along with the form.
PRESSED, TEXT, ANYWAY = "_press", "_press_text_", "_press_anyway_"
# On a request: the button that waits for the commit, and its row.
RUN_AFTER_COMMIT = "_run_after_commit"


def always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Button:
    """`method` is called with (request, row, text); `prompt` labels its text field, if it has one.

    It returns the sentence that is shown and written to the history, or a response instead of the page. It runs in a
    transaction, unless it `calls_provider`: then it runs after the page's form is committed, outside any transaction,
    so that no lock of the database waits for another server.
    """

    name: str
    label: StrOrPromise
    method: str
    icon: str = "play_arrow"
    style: str = "plain"
    power: Power = Power.OPERATE
    confirm: StrOrPromise = ""
    prompt: StrOrPromise = ""
    calls_provider: bool = False
    is_offered: Callable[[Any], bool] = always


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link that stands among the buttons."""

    label: str
    icon: str
    url: str
    is_new_tab: bool = False


class ButtonsAdmin(ModelAdmin[M]):
    """Shows the buttons that the row and the user allow, and runs them."""

    buttons: tuple[Button, ...] = ()
    change_form_outer_before_template = "admin/parts/above_form.html"

    def has_power(self, request: HttpRequest, power: Power, row: M | None = None) -> bool:
        raise NotImplementedError

    def offered(self, request: HttpRequest, row: M) -> Iterator[Button]:
        for button in self.buttons:
            if button.is_offered(row) and self.has_power(request, button.power, row):
                yield button

    def blockers(self, request: HttpRequest, row: M, button: Button) -> tuple[str, ...]:
        """Why it should not be done, in sentences: it is done only after the user confirms it."""
        return ()

    def page_links(self, request: HttpRequest, row: M) -> tuple[PageLink, ...]:
        return ()

    def get_urls(self) -> list[URLPattern]:
        meta = self.opts
        view = self.page(self.press)
        name = f"{meta.app_label}_{meta.model_name}_press"
        return [path("<path:object_id>/press/<slug:button_name>/", view, name=name), *super().get_urls()]

    def page(self, method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """A view of this admin's own, in the zone of the record that its address names (agents/hours/local_time.py)."""

        @functools.wraps(method)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return method(request, *args, **kwargs)

        guarded: Any = self.admin_site.admin_view(view)
        guarded.model_admin = self
        return cast("Callable[..., HttpResponse]", guarded)

    def press(self, request: HttpRequest, object_id: str, button_name: str) -> HttpResponse:
        """Run a button's method. A row of another organization does not exist here."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        button = next((button for button in self.buttons if button.name == button_name), None)
        if row is None or button is None:
            raise Http404("There is no such record or action.")
        is_in_list = request.GET.get("to") == "list"
        if is_in_list and (refused := self._save_list(request)):
            return refused
        response = self._run(request, row, button, request.POST.get("text", "").strip())
        return response or HttpResponseRedirect(self.list_page(request) if is_in_list else self.page_of(row))

    def _run(self, request: HttpRequest, row: M, button: Button, text: str) -> HttpResponse | None:
        """Run it and show the outcome. None: the row's page follows."""
        if not self.has_power(request, button.power, row):
            raise PermissionDenied
        if not button.is_offered(row):
            messages.warning(
                request,
                gettext("“%(button)s” is no longer possible: the record has changed.") % {"button": button.label},
            )
            return None
        blockers = self.blockers(request, row, button)
        if blockers and f"{ANYWAY}{button.name}" not in request.POST:
            why = " ".join(blockers)
            messages.error(
                request,
                gettext("“%(button)s” was not carried out. %(why)s Fix this, or select “%(button)s anyway”.")
                % {"button": button.label, "why": why},
            )
            return None
        try:
            with nullcontext() if button.calls_provider else transaction.atomic():
                outcome: str | HttpResponseBase = getattr(self, button.method)(request, row, text)
        except ApplicationError as exc:
            messages.error(request, str(exc))
            return None
        if isinstance(outcome, HttpResponseBase):
            self.log_change(request, row, f"{button.label}.")
            return cast(HttpResponse, outcome)
        messages.success(request, outcome)
        self.log_change(request, row, outcome[:200])
        return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form is committed when `changeform_view` returns; now a button that calls a provider is run."""
        response: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        pressed = vars(request).pop(RUN_AFTER_COMMIT, None)
        return self._run_submitted(request, *pressed) if pressed else response

    def response_change(self, request: HttpRequest, obj: M) -> HttpResponse:
        """The form is saved, in this transaction; now the button that submitted it is run."""
        name = request.POST.get(PRESSED)
        if not name:
            return super().response_change(request, obj)
        button = next((button for button in self.buttons if button.name == name), None)
        if button is None:
            raise Http404("There is no such record or action.")
        if button.calls_provider:
            vars(request)[RUN_AFTER_COMMIT] = (button, str(obj.pk))
            return HttpResponseRedirect(self.page_of(obj))
        return self._run_submitted(request, button, str(obj.pk))

    def _run_submitted(self, request: HttpRequest, button: Button, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404("There is no such record or action.")
        response = self._run(request, row, button, request.POST.get(f"{TEXT}{button.name}", "").strip())
        return response or HttpResponseRedirect(self.page_of(row))

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """A button on an unchanged form leaves one entry in the history: its own."""
        is_only_pressed = PRESSED in request.POST and message == UNCHANGED
        return None if is_only_pressed else super().log_change(request, obj, message)

    def _save_list(self, request: HttpRequest) -> HttpResponse | None:
        """Save what was typed into a list before a button in it is run; return the list if it cannot be saved."""
        if not self.list_editable or "form-TOTAL_FORMS" not in request.POST:
            return None
        posted = QueryDict(request.POST.urlencode(), mutable=True)
        posted["_save"] = gettext("Save")
        of_list = copy.copy(request)
        vars(of_list).update(_post=posted, GET=QueryDict(self._query_of_list(request)))
        response = self.changelist_view(of_list)
        return None if isinstance(response, HttpResponseRedirect) else response

    def _query_of_list(self, request: HttpRequest) -> str:
        """Filters and page of the list in which the button stands."""
        came_from = urlsplit(request.headers.get("Referer", ""))
        return came_from.query if came_from.path == self._list_path() else ""

    def _form_id(self) -> str:
        return f"{self.opts.model_name}_form"

    def list_page(self, request: HttpRequest) -> str:
        query = self._query_of_list(request)
        return f"{self._list_path()}?{query}" if query else self._list_path()

    def _list_path(self) -> str:
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
        # A pop-up closes when it is saved: the result of a button would not be visible.
        is_page = obj is not None and not context.get("is_popup")
        context["buttons"] = list(self.offered(request, obj)) if is_page and obj else []
        context["page_links"] = self.page_links(request, obj) if is_page and obj else ()
        context["form_id"] = "" if obj is None or not self.has_change_permission(request, obj) else self._form_id()
        context["form_errors"] = errors_of(context["adminform"], context["inline_admin_formsets"])
        pressed = next((each for each in self.buttons if each.name == request.POST.get(PRESSED)), None)
        context["not_pressed"] = pressed.label if pressed else ""
        context["blockers"] = {
            each.name: found for each in context["buttons"] if obj and (found := self.blockers(request, obj, each))
        }
        context["press_text"] = request.POST.get(f"{TEXT}{pressed.name}", "") if pressed else ""
        context["press_url"] = "" if obj is None else f"{self.page_of(obj).removesuffix('change/')}press/"
        response: TemplateResponse | HttpResponse = super().render_change_form(
            request, context, add=add, change=change, form_url=form_url, obj=obj
        )
        return response
