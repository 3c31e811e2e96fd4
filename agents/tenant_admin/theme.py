"""The admin's look: Unfold's base classes (Django's for the type checker: Unfold has no types), columns, and JSON."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.utils.html import format_html
from django_stubs_ext import StrOrPromise

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.contrib.admin.views.main import ChangeList
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from django.forms import CheckboxSelectMultiple, FileInput, PasswordInput, Select, Textarea, TextInput
else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminFileFieldWidget as FileInput
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

__all__ = [
    "AdminPasswordChangeForm",
    "ChangeList",
    "CheckboxSelectMultiple",
    "FileInput",
    "ModelAdmin",
    "PasswordInput",
    "Select",
    "StackedInline",
    "TabularInline",
    "TextInput",
    "Textarea",
    "UserChangeForm",
    "UserCreationForm",
    "as_json",
    "display",
]

F = TypeVar("F", bound=Callable[..., Any])


class Badge(tuple[str, str]):
    """A value and its label: Unfold's lists choose the color by the value, and print the label."""

    __slots__ = ()

    def __str__(self) -> str:
        return self[1]


def display(
    *, description: StrOrPromise, ordering: str = "", label: Mapping[str, str] | None = None
) -> Callable[[F], F]:
    """A column or a read-only field. `label` gives the color of a value's badge, which also shows it as text."""

    def decorate(function: F) -> F:
        attributes = {"short_description": description, "admin_order_field": ordering, "label": label}
        shown = _as_badge(function) if label else function
        for name, value in attributes.items():
            if value:
                setattr(shown, name, value)
        return shown

    return decorate


def _as_badge(function: F) -> F:
    @functools.wraps(function)
    def shown(*args: Any) -> object:
        value = function(*args)
        return Badge(value) if isinstance(value, tuple) else value

    return cast(F, shown)


def as_json(value: object) -> str:
    """A value of any depth as an indented block."""
    return format_html('<pre class="va-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))
