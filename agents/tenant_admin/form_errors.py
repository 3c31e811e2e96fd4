"""The errors of a form with its rows, each with the name of its field and a link to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class FormError:
    """`anchor` is the id of the field in the page, empty where the error belongs to no field."""

    label: str
    message: str
    anchor: str = ""


def errors_of(adminform: Any, formsets: Any) -> list[FormError]:
    """Those of the form, then those of its tables, in the order of the page."""
    found = list(_of_form(adminform.form))
    for each in formsets:
        formset = each.formset
        kind = str(each.opts.verbose_name_plural)
        found += [FormError(kind, str(message), f"{formset.prefix}-group") for message in formset.non_form_errors()]
        for form in formset.forms:
            found += list(
                _of_form(
                    form,
                    of=str(form.instance)
                    if form.instance.pk
                    else gettext("new %(verbose_name)s") % {"verbose_name": each.opts.verbose_name},
                )
            )
    return found


def _of_form(form: Any, of: str = "") -> Iterator[FormError]:
    if not form.is_bound:
        return
    for name, messages in form.errors.items():
        bound = form[name] if name in form.fields else None
        label = str(bound.label or name.replace("_", " ")) if bound else ""
        anchor = bound.id_for_label or bound.auto_id if bound else ""
        for message in messages:
            both = gettext("%(field)s of %(row)s") % {"field": label, "row": of}
            yield FormError(both if of and label else label or of, str(message), anchor)
