"""The pages of a menu that change it as a whole: export, import with a preview, prices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.exchange.files import Format, read_file, too_large, write_file
from agents.catalog.exchange.held import Held, hold, take
from agents.catalog.exchange.plan import Action, Plan
from agents.catalog.exchange.services import HasChanged, apply_table, preview
from agents.catalog.exchange.state import MenuState
from agents.catalog.exchange.table import MAX_FILE_BYTES, MIB, Table
from agents.catalog.models import Menu
from agents.organizations.roles import Power
from agents.tenant_admin.buttons import PageLink
from agents.tenant_admin.theme import FileInput
from voiceapp.core.errors import ApplicationError

from .menu_findings import MenuFindings

MOST_SHOWN = 300


class FileForm(forms.Form):
    """A file of a menu."""

    file = forms.FileField(
        label=_("File"),
        help_text=format_lazy(
            _(
                "XLSX, CSV or JSON as this page exports it, at most {megabytes} MB. What its columns do not say stays "
                "as it is."
            ),
            megabytes=MAX_FILE_BYTES // MIB,
        ),
        widget=FileInput(attrs={"accept": ".xlsx,.csv,.json,.txt"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty. Choose another one.")},
    )
    with_stock = forms.BooleanField(
        label=_("Also import availability"),
        required=False,
        help_text=_(
            "Sold out, sold out until and quantity left. They change with every order, so a file is soon behind."
        ),
    )

    def file_name(self) -> str:
        return str(getattr(self.files.get("file"), "name", "") or "file")[:100]

    def clean_file(self) -> Table:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            if file.size is not None and file.size > MAX_FILE_BYTES:
                raise too_large(file.size)
            return read_file(file.read())
        except ApplicationError as exc:
            raise forms.ValidationError(str(exc)) from exc


class MenuFiles(MenuFindings):
    """Export and import. `import/` comes first in the address, for the limit of what may be uploaded to it."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("import/<path:object_id>/", self.page(self.import_page), name="agents_menu_import"),
            path("<path:object_id>/export/<slug:form>/", self.page(self.export), name="agents_menu_export"),
            *super().get_urls(),
        ]

    def page_links(self, request: HttpRequest, row: Menu) -> tuple[PageLink, ...]:
        exports = tuple(
            PageLink(
                gettext("Export %(form)s") % {"form": form.value.upper()},
                "download",
                reverse("admin:agents_menu_export", args=(row.pk, form)),
            )
            for form in (Format.XLSX, Format.CSV, Format.JSON)
        )
        if not self.has_power(request, Power.EDIT, row):
            return exports
        return (
            *exports,
            PageLink(gettext("Import"), "upload", reverse("admin:agents_menu_import", args=(row.pk,))),
            PageLink(gettext("Change prices"), "price_change", reverse("admin:agents_menu_prices", args=(row.pk,))),
            PageLink(gettext("POS IDs"), "point_of_sale", reverse("admin:agents_menu_pos_ids", args=(row.pk,))),
        )

    def menu_of(self, request: HttpRequest, object_id: str, power: Power) -> Menu:
        """A menu of others does not exist here."""
        menu = self.get_object(request, object_id)
        if menu is None:
            raise Http404("There is no such menu.")
        if not self.has_power(request, power, menu):
            raise PermissionDenied
        return menu

    def export(self, request: HttpRequest, object_id: str, form: str) -> HttpResponse:
        menu = self.menu_of(request, object_id, Power.VIEW)
        try:
            chosen = Format(form)
        except ValueError as exc:
            raise Http404("A menu is exported as xlsx, csv or json.") from exc
        content = write_file(MenuState(menu).rows(), chosen)
        headers = {"Content-Disposition": f'attachment; filename="menu-{menu.pk}.{chosen}"'}
        return HttpResponse(content, content_type=chosen.content_type, headers=headers)

    def import_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows the form; POST of a file shows what would change; POST of what was shown does it."""
        menu = self.menu_of(request, object_id, Power.EDIT)
        if request.method == "POST" and "held" in request.POST:
            return self._confirm(request, menu)
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method != "POST" or not form.is_valid():
            return self._show(request, menu, form)
        held = Held(form.cleaned_data["file"], "", form.file_name(), form.cleaned_data["with_stock"])
        return self._preview(request, menu, held)

    def _preview(self, request: HttpRequest, menu: Menu, held: Held, fault: str = "") -> HttpResponse:
        plan = preview(menu, held.table, with_stock=held.with_stock)
        shown = Held(held.table, plan.digest, held.file_name, held.with_stock)
        try:
            kept = "" if plan.problems or plan.is_empty else hold(menu, shown)
        except ApplicationError as exc:
            kept, fault = "", str(exc)
        return self._show(request, menu, FileForm(), plan=plan, held=kept, file_name=held.file_name, fault=fault)

    def _confirm(self, request: HttpRequest, menu: Menu) -> HttpResponse:
        try:
            held = take(menu, request.POST["held"])
        except ApplicationError as exc:
            return self._show(request, menu, FileForm(), fault=str(exc))
        try:
            plan = apply_table(
                menu,
                held.table,
                by=request.user.get_username(),
                title=gettext("Import of %(file_name)s") % {"file_name": held.file_name},
                digest=held.digest,
                with_stock=held.with_stock,
                remove="remove" in request.POST,
            )
        except HasChanged as exc:
            return self._preview(request, menu, held, str(exc))
        except ApplicationError as exc:
            return self._show(request, menu, FileForm(), fault=str(exc))
        outcome = f"{held.file_name}: {said(plan, removed='remove' in request.POST)}"
        self.log_change(request, menu, outcome[:200])
        self.message_user(request, outcome)
        return HttpResponseRedirect(self.page_of(menu))

    def _show(self, request: HttpRequest, menu: Menu, form: FileForm, **more: Any) -> HttpResponse:
        plan: Plan | None = more.get("plan")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import into %(menu)s") % {"menu": menu},
            "opts": self.opts,
            "menu": menu,
            "menu_url": self.page_of(menu),
            "form": form,
            "sections": sections(plan) if plan else (),
            "orders": orders_of(plan) if plan else (),
            **more,
        }
        return TemplateResponse(request, "admin/agents/menu/import.html", context)


def sections(plan: Plan) -> list[dict[str, Any]]:
    """The differences by what happens to the row."""
    titles = ((Action.ADDED, gettext("Added"), "success"), (Action.CHANGED, gettext("Changed"), "info"),
              (Action.MISSING, gettext("Not in the file"), "warning"))  # fmt: skip
    found = [(title, color, action, plan.of(action)) for action, title, color in titles]
    return [
        {"title": title, "color": color, "action": action, "changes": changes[:MOST_SHOWN], "number": len(changes),
         "more": max(len(changes) - MOST_SHOWN, 0)}
        for title, color, action, changes in found
        if changes
    ]  # fmt: skip


def orders_of(plan: Plan) -> list[str]:
    """In what the order of rows is another one."""
    return list(
        dict.fromkeys(node.home.label or gettext("Menu") for node, _ in plan.reordered if node.pk and node.home)
    )


def said(plan: Plan, *, removed: bool) -> str:
    """“2 rows added, 3 changed, 1 removed.”"""
    added, changed, missing = (len(plan.of(action)) for action in Action)
    if not missing:
        text = ngettext(
            "%(added)s row added, %(changed)s changed.", "%(added)s rows added, %(changed)s changed.", added
        )
    elif removed:
        text = ngettext(
            "%(added)s row added, %(changed)s changed, %(missing)s removed.",
            "%(added)s rows added, %(changed)s changed, %(missing)s removed.",
            added,
        )
    else:
        text = ngettext(
            "%(added)s row added, %(changed)s changed, %(missing)s not in the file and kept.",
            "%(added)s rows added, %(changed)s changed, %(missing)s not in the file and kept.",
            added,
        )
    return text % {"added": added, "changed": changed, "missing": missing}
