"""A form that detects edit conflicts: no user overwrites unseen what another has saved meanwhile."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import QueryDict
from django.utils.translation import gettext

# Live calls lower the one, dragging rows changes the other: the last one wins, without a question.
LAST_ONE_WINS = frozenset({"count_left", "position"})
LONGEST_SHOWN = 200


class ConflictCheckingForm(forms.ModelForm[Any]):
    """Each field carries the value that its page showed, as Django's `show_hidden_initial` does.

    A field that the person left alone keeps its current value, even if somebody else changed it. What both changed is
    rejected once, with the current value; saving again replaces it. Forms without shown values are taken as they are.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        for name, field in self.fields.items():
            if not field.disabled and not _is_secret(field):
                field.show_hidden_initial = not self.is_bound or self._was_shown(name, field)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if field.show_hidden_initial and not self.instance._state.adding and self._is_other_now(name, field):
                self._settle(name, field, cleaned)
        return cleaned

    def _was_shown(self, name: str, field: forms.Field) -> bool:
        key = self.add_initial_prefix(name)
        if isinstance(field.hidden_widget(), forms.MultipleHiddenInput):
            # Nothing chosen is nothing posted: the other fields say whether the page showed its values.
            return any(
                self.add_initial_prefix(other) in self.data for other in self.fields if other not in LAST_ONE_WINS
            )
        return key in self.data or f"{key}_0" in self.data

    def _is_other_now(self, name: str, field: forms.Field) -> bool:
        """Whether what is saved now differs from what the page showed."""
        bound = self[name]
        shown = self._widget_data_value(field.hidden_widget(), bound.html_initial_name)  # type: ignore[attr-defined]
        return bool(field.has_changed(bound.initial, shown))

    def _settle(self, name: str, field: forms.Field, cleaned: dict[str, Any]) -> None:
        bound = self[name]
        if name not in self.changed_data:
            if name in cleaned and name in {column.name for column in self.instance._meta.fields}:
                cleaned[name] = getattr(self.instance, name)
            return
        if name in LAST_ONE_WINS or not field.has_changed(bound.initial, bound.data):
            return
        self._show_anew(name, field)
        self.add_error(
            name,
            gettext(
                "%(who)s changed this to %(value_text)s while this page was open. Save again to replace it "
                "with your value."
            )
            % {"who": self._who(), "value_text": _value_text(field, bound.initial)},
        )

    def _show_anew(self, name: str, field: forms.Field) -> None:
        """The page that comes now shows what is saved now: saving it again is a choice."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        key, widget = self.add_initial_prefix(name), field.hidden_widget()
        value = field.prepare_value(self[name].initial)
        if isinstance(widget, forms.MultiWidget):
            data[key] = ""  # Django looks for the name of the whole before it shows the parts
            for index, (part, of) in enumerate(zip(widget.decompress(value) or (), widget.widgets, strict=True)):
                data[f"{key}_{index}"] = of.format_value(part) or ""
        elif isinstance(widget, forms.MultipleHiddenInput):
            data.setlist(key, [str(each) for each in value or ()])
        else:
            data[key] = widget.format_value(value) or ""
        self.data = data

    def _who(self) -> str:
        kind = ContentType.objects.get_for_model(self.instance)
        entries = LogEntry.objects.filter(content_type=kind, object_id=str(self.instance.pk)).select_related("user")
        newest = entries.order_by("-action_time").first()
        return newest.user.get_username() if newest else gettext("Somebody")


def _is_secret(field: forms.Field) -> bool:
    """Written, never shown: not in a hidden field either."""
    return getattr(field.widget, "input_type", "") == "password"


def _value_text(field: forms.Field, value: Any) -> str:
    """A saved value as a person reads it."""
    if isinstance(value, bool):
        return gettext("“yes”") if value else gettext("“no”")
    if isinstance(field, forms.ModelMultipleChoiceField):
        return gettext("another choice")
    if isinstance(field, forms.ModelChoiceField):
        row = field.queryset.filter(pk=value).first() if value and field.queryset is not None else None
        return f"“{row}”" if row else gettext("nothing")
    if isinstance(value, (list, tuple)):
        return f"“{', '.join(map(str, value))}”" if value else gettext("nothing")
    text = str(value)
    if value is None or not text:
        return gettext("nothing")
    return f"“{text}”" if len(text) <= LONGEST_SHOWN else f"“{text[:LONGEST_SHOWN]}…”"
