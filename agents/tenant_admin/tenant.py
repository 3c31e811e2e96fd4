"""The base of every admin page: users see the rows of their organizations, with the permissions of their role there."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast

from django import forms
from django.apps import apps
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models, transaction
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from agents.audit_log.shown import shown_entries
from agents.hours.local_time import country_of_page, read_by_country, when_of, zones_differ
from agents.organizations.access import access_of, organization_id_of
from agents.organizations.roles import Area, Power
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .buttons import ButtonsAdmin
from .dates import DatedList
from .filters import scoped
from .forms import ListForm, TenantForm, changed_columns
from .history import change_message
from .inlines import choices_for, mind_live_counts
from .page_organization import PageOrganization
from .theme import ChangeList, display

T = TypeVar("T", bound=TenantModel)


class TenantAdmin(PageOrganization[T], ButtonsAdmin[T]):
    """`area` says which roles get in; `operable` are the fields that daily work may change."""

    area: ClassVar[Area]
    operable: ClassVar[tuple[str, ...]] = ()
    # Columns that a link may filter by, besides the list's own filters.
    linkable: ClassVar[tuple[str, ...]] = ()
    form = TenantForm
    list_per_page = 50
    show_full_result_count = False
    save_on_top = False
    warn_unsaved_form = True
    object_history_template = "admin/audit_log/history.html"

    # Permissions

    def has_power(self, request: HttpRequest, power: Power, row: T | None = None) -> bool:
        # Unfold passes an id here for its own actions; those are not used.
        organization_id = organization_id_of(row) if isinstance(row, TenantModel) else None
        if isinstance(row, TenantModel) and organization_id is None:
            return access_of(request).sees_all
        return access_of(request).may(self.area, power, organization_id)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_power(request, Power.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        return self.has_power(request, Power.VIEW, obj)

    def has_operate_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        return self.has_power(request, Power.OPERATE, obj)

    def has_change_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        return self.has_power(request, Power.OPERATE if self.operable else Power.EDIT, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_power(request, Power.EDIT)

    def has_delete_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        return self.has_power(request, Power.EDIT, obj)

    # Visible rows

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[T]:
        rows = super().get_queryset(request)
        owner = self.model.tenant_path.rpartition("__")[0] if issubclass(self.model, TenantModel) else ""
        if owner and zones_differ():
            rows = rows.select_related(owner)  # each row's time is shown in its own zone
        if not isinstance(rows, TenantQuerySet):
            raise TypeError(f"{self.model.__name__}.objects is no TenantQuerySet")
        return cast("models.QuerySet[T]", rows.visible_to(access_of(request).principal(self.area)))

    def rows_with(self, request: HttpRequest, rows: models.QuerySet[T], power: Power) -> models.QuerySet[T]:
        """Of the selected rows those on which the user has that power: roles differ between organizations."""
        return cast(
            "models.QuerySet[T]",
            cast("TenantQuerySet[T]", rows).visible_to(access_of(request).principal(self.area, power)),
        )

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        named: list[Any] = list(super().get_list_filter(request))
        return [scoped(each, self.model) if isinstance(each, str) else each for each in named]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Times in the zone of each row's organization; its column is only for users who see several."""
        shown = [self._column(each) for each in super().get_list_display(request)]
        access = access_of(request)
        if not access.sees_all and len(access.organizations(self.area)) <= 1:
            shown = [each for each in shown if each != "organization"]
        return shown

    def _column(self, name: Any) -> Any:
        """A column of times as a method of its own; any other as it is."""
        if not isinstance(name, str) or name in self.list_editable or hasattr(self, name):
            return name
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        if not isinstance(field, models.DateTimeField):
            return name

        @display(description=str(field.verbose_name), ordering=name)
        def shown(row: T) -> str:
            return when_of(row, getattr(row, name))

        shown.__name__ = name
        return shown

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DatedList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the offered filters: `?sealed_secret__startswith=` would read a secret character by character."""
        filters = (each[0] if isinstance(each, tuple) else each for each in self.get_list_filter(request))
        allowed = {each for each in filters if isinstance(each, str)} | {*self.linkable}
        allowed |= {str(getattr(each, "parameter_name", "")) for each in self.list_filter if isinstance(each, type)}
        if self.date_hierarchy:
            allowed.add(self.date_hierarchy)
        return any(lookup == name or self._is_part_of(lookup, name) for name in allowed)

    def _is_part_of(self, lookup: str, name: str) -> bool:
        """`state__exact`, `created_at__gte`, `agent__id__exact`; nothing further along a relation."""
        rest = lookup.removeprefix(name + LOOKUP_SEP)
        harmless = {"exact", "isnull", "gte", "lt", "year", "month", "day", "in", "id__exact", "pk__exact"}
        return rest != lookup and rest in harmless

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Titled “Agents”, not “Select agent to change”."""
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """Without the rows of many-to-many tables, which have no name that a person knows."""
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        links = {model._meta for model in apps.get_models(include_auto_created=True) if model._meta.auto_created}
        names = tuple(f"{capfirst(str(meta.verbose_name))}:" for meta in links)
        plurals = {str(meta.verbose_name_plural) for meta in links}
        shown = {name: number for name, number in counts.items() if str(name) not in plurals}
        return _without(deleted, names), shown, missing, protected

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm[Any]]:
        return super().get_changelist_form(request, **{"form": ListForm, **kwargs})

    # Changes

    def get_readonly_fields(self, request: HttpRequest, obj: T | None = None) -> tuple[str, ...]:
        fields = tuple(str(name) for name in super().get_readonly_fields(request, obj))
        if obj is None or not self.operable or self.has_power(request, Power.EDIT, obj):
            return fields
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        return tuple(dict.fromkeys((*fields, *(str(name) for name in shown if name not in self.operable))))

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> models.QuerySet[Any] | None:
        page = self.organization_of_page(request)
        found = choices_for(db_field, access_of(request), self.area, page)
        if found is not None:
            return found
        default: models.QuerySet[Any] | None = super().get_field_queryset(db, db_field, request)
        return default

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        if db_field.name != "organization":
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        only = self.organization_of_page(request)
        if only and not access_of(request).sees_all:
            kwargs["widget"] = forms.HiddenInput()
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and only:
            # Kept in the form so that constraints over the organization are checked; what is posted is ignored.
            field.disabled = True
            field.initial = only
        return field

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = mind_live_counts(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)
        return read_by_country(field, country_of_page(request))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return change_message(form, formsets, is_new=add)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One save of a row at a time: what the page showed is compared with what is saved, then written."""
        with transaction.atomic():
            row = self.get_object(request, object_id) if object_id and request.method == "POST" else None
            if row is not None:
                self.model._default_manager.select_for_update().filter(pk=row.pk).first()
            return super().changeform_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was changed, from what to what (agents/audit_log), and which buttons were pressed."""
        row = self.get_object(request, object_id) if self.model.audited is not None else None
        shown = {"entries": shown_entries(row)} if row is not None else {}
        return super().history_view(request, object_id, {**shown, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: T, form: Any, change: bool) -> None:
        if not self.has_power(request, self._needed(form) if change else Power.EDIT, obj):
            raise PermissionDenied
        flag = getattr(form, "only_one", "")
        if flag and getattr(obj, flag):
            organization_id = organization_id_of(obj)
            others = self.model._default_manager.filter(**{self.model.tenant_path: organization_id, flag: True})
            others.exclude(pk=obj.pk).update(**{flag: False})
        if change:
            obj.save(update_fields=changed_columns(form))
        else:
            super().save_model(request, obj, form, change)

    def _needed(self, form: Any) -> Power:
        return Power.OPERATE if set(form.changed_data) <= set(self.operable) else Power.EDIT


def _without(deleted: list[Any], names: tuple[str, ...]) -> list[Any]:
    """A tree of lists without the leaves that begin with one of the names."""
    kept = [_without(each, names) if isinstance(each, list) else each for each in deleted]
    return [each for each in kept if each and not (isinstance(each, str) and each.startswith(names))]


class ReadOnlyAdmin(TenantAdmin[T]):
    """Records of what happened: no user changes them, not even a superuser."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: T | None = None) -> bool:
        return False
