"""Writes saved views."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from sessions.exports.queries import kept_query, read_pairs
from voiceapp.core.errors import ApplicationError
from voiceapp.core.plain_text import validate_line

from .models import LONGEST_NAME, SavedView
from .queries import names_a_person

MOST_VIEWS = 50
FEWEST_SAME_DIGITS = 6


class NoSuchView(ApplicationError):
    message = _("This view does not exist any more. Reload the page.")


def save_view(user: User, *, name: str, query: str, organization: Organization | None, is_default: bool) -> SavedView:
    """A new view, or the one of that name changed. With an organization it is shared: check the power before."""
    name = " ".join(name.split())
    _check_name(name)
    kept = kept_query(query)
    if organization is not None and names_a_person(kept):
        raise ApplicationError(
            gettext(
                "This view searches for a number, which not everybody in the organization may see. "
                "Keep it for yourself, or remove the number."
            )
        )
    views = _shelf(user, organization)
    try:
        with transaction.atomic():
            known = views.filter(name=name).first()
            if known is None and views.count() >= MOST_VIEWS:
                raise ApplicationError(
                    gettext("There are %(most_views)s views already. Delete one first.") % {"most_views": MOST_VIEWS}
                )
            if is_default:
                views.exclude(name=name).filter(is_default=True).update(is_default=False)
            view = known or SavedView(organization=organization, name=name)
            view.user, view.query, view.is_default = user, kept, is_default
            view.save()
            return view
    except IntegrityError as exc:
        raise ApplicationError(gettext("Another view was saved at the same time. Try again.")) from exc


def set_default(view: SavedView, *, is_default: bool) -> None:
    """The list opens with it, and with no other of the same person or organization."""
    with transaction.atomic():
        shelf = _shelf(view.user, view.organization)
        shelf.exclude(pk=view.pk).filter(is_default=True).update(is_default=False)
        if not shelf.filter(pk=view.pk).update(is_default=is_default):
            raise NoSuchView


def delete_view(view: SavedView) -> None:
    SavedView.objects.filter(pk=view.pk).delete()


def forget_number(organization: Organization, number: str) -> int:
    """Delete views that were saved to find a caller whose data is deleted; how many. `number` is E.164."""
    who = Q(user__memberships__organization=organization) | Q(user__is_superuser=True)
    saved = SavedView.objects.filter(who).exclude(query="").distinct()
    views = [view.pk for view in saved if _has_digits(view.query, number.lstrip("+"))]
    return SavedView.objects.filter(pk__in=views).delete()[0]


def _shelf(user: User, organization: Organization | None) -> QuerySet[SavedView]:
    if organization is None:
        return SavedView.objects.filter(user=user, organization__isnull=True)
    return SavedView.objects.filter(organization=organization)


def _check_name(name: str) -> None:
    if not name:
        raise ApplicationError(gettext("Give the view a name."))
    if len(name) > LONGEST_NAME:
        raise ApplicationError(
            gettext("Give the view a name of at most %(longest_name)s characters.") % {"longest_name": LONGEST_NAME}
        )
    try:
        validate_line(name)
    except ValidationError as exc:
        raise ApplicationError(exc.messages[0]) from exc


def _has_digits(query: str, digits: str) -> bool:
    """Whether a value names the number, in any notation: the last digits of both agree."""
    for _name, value in read_pairs(query):
        typed = "".join(each for each in value if each.isdecimal())
        if len(typed) >= FEWEST_SAME_DIGITS and (digits.endswith(typed.lstrip("0")) or typed.endswith(digits)):
            return True
    return False
