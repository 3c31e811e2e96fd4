"""The admin's base classes: Unfold's at run time, Django's typed ones for the type checker (Unfold has no types)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.contrib.admin.views.main import ChangeList
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from django.forms import CheckboxSelectMultiple, PasswordInput, Select, Textarea, TextInput
else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

__all__ = [
    "AdminPasswordChangeForm",
    "ChangeList",
    "CheckboxSelectMultiple",
    "ModelAdmin",
    "PasswordInput",
    "Select",
    "StackedInline",
    "TabularInline",
    "TextInput",
    "Textarea",
    "UserChangeForm",
    "UserCreationForm",
    "display",
]

F = TypeVar("F", bound=Callable[..., Any])


def display(*, description: str, ordering: str = "", label: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """A column or a read-only field. `label` gives the colour of a value's badge, which also says it in words."""

    def decorate(function: F) -> F:
        attributes = {"short_description": description, "admin_order_field": ordering, "label": label}
        for name, value in attributes.items():
            if value:
                setattr(function, name, value)
        return function

    return decorate
