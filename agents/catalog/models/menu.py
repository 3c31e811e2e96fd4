"""What is ordered: menus with categories, items, sizes and modifier groups; and words that an organization adds."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.catalog.allergens import validate_allergens
from agents.catalog.spoken.table import KNOWN, Role
from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .daypart import Daypart
from .speakable import validate_speakable


class Named(models.Model):
    """Something that is said by name."""

    name = models.CharField(max_length=80, validators=[validate_speakable])
    spoken_name = models.CharField(
        max_length=80,
        blank=True,
        validators=[validate_speakable],
        help_text=_("How it is said, if different from the name."),
    )
    aliases = models.CharField(max_length=300, blank=True, help_text=_("Other names callers use, separated by commas."))
    position = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def spoken_forms(self) -> tuple[str, ...]:
        """Every other form that callers may say, without the name itself."""
        forms = [self.spoken_name, *self.aliases.split(",")]
        return tuple(dict.fromkeys(form.strip() for form in forms if form.strip() and form.strip() != self.name))


class KnownToPos(models.Model):
    """Something that a point of sale has, under a name of its own."""

    pos_id = models.CharField(
        _("POS ID"),
        max_length=64,
        blank=True,
        help_text=_("What your point of sale calls it: in exports of orders and in webhooks."),
    )

    class Meta:
        abstract = True


class Availability(models.Model):
    """Whether something can be sold now. The count is only ever lowered by a guarded update."""

    is_out = models.BooleanField(_("sold out"), default=False)
    out_until = models.DateTimeField(
        _("sold out until"), null=True, blank=True, help_text=_("Available again automatically at this time.")
    )
    count_left = models.PositiveIntegerField(
        _("quantity left"), null=True, blank=True, help_text=_("Leave empty if not counted.")
    )

    class Meta:
        abstract = True

    def is_available_at(self, now: dt.datetime) -> bool:
        if self.count_left == 0:
            return False
        if self.out_until is not None:
            return now >= self.out_until
        return not self.is_out


class Labeled(models.Model):
    """Something that is eaten."""

    allergens = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_allergens],
        help_text=_("The agent says these when it is asked. Choose none, and it says that it does not know."),
    )

    class Meta:
        abstract = True


def sold_at(owner: str, *, otherwise: StrOrPromise) -> models.ForeignKey[Daypart | None, Daypart | None]:
    """The column of the times at which something is sold; `otherwise` holds where it is empty."""
    return models.ForeignKey(
        Daypart,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name=owner,
        verbose_name=_("time of day"),
        help_text=format_lazy(_("Sold only then. {otherwise}"), otherwise=otherwise),
    )


class Menu(TenantModel):
    """A list of what an organization sells. All its active menus are sold together."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="menus")
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(_("active"), default=True)
    daypart = sold_at("menus", otherwise=_("Empty: always."))

    objects = TenantQuerySet["Menu"].as_manager()

    class Meta:
        ordering = ("organization", "name")

    def __str__(self) -> str:
        return self.name


class Category(TenantModel):
    """A heading of a menu."""

    tenant_path = "menu__organization_id"
    audited = Audited()

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="categories")
    name = models.CharField(max_length=80, validators=[validate_speakable])
    position = models.PositiveIntegerField(default=0)
    daypart = sold_at("categories", otherwise=_("Empty: as its menu."))

    objects = TenantQuerySet["Category"].as_manager()

    class Meta:
        ordering = ("position", "id")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class Item(Named, KnownToPos, Availability, Labeled, TenantModel):
    """A thing that can be ordered: at its price, or in its sizes, never both (docs/reference/menu-lines.md)."""

    tenant_path = "category__menu__organization_id"
    audited = Audited()

    category = models.ForeignKey(Category, models.CASCADE, related_name="items")
    description = models.CharField(max_length=300, blank=True)
    price = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Leave empty for an item with sizes: each size has its own price."),
    )
    most_per_order = models.PositiveIntegerField("maximum per order", default=50)
    daypart = sold_at("items", otherwise=_("Empty: as its category, or its menu."))

    objects = TenantQuerySet["Item"].as_manager()

    class Meta(Named.Meta):
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="item_price_is_not_negative")]


class Size(Named, KnownToPos, Availability, TenantModel):
    """A size of an item, with its price. An item with sizes is always ordered in one, and has no price of its own."""

    tenant_path = "item__category__menu__organization_id"
    audited = Audited(page="item")

    item = models.ForeignKey(Item, models.CASCADE, related_name="sizes")
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    is_default = models.BooleanField(_("default"), default=False)

    objects = TenantQuerySet["Size"].as_manager()

    class Meta(Named.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=("item",), condition=models.Q(is_default=True), name="one_default_size_per_item"
            ),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="size_price_is_not_negative"),
        ]


class ModifierGroup(TenantModel):
    """A choice that comes with items, or with a modifier of another group: at least `minimum`, at most `maximum`."""

    tenant_path = "menu__organization_id"
    audited = Audited()

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="modifier_groups")
    name = models.CharField(max_length=80, validators=[validate_speakable])
    minimum = models.PositiveIntegerField(_("minimum choices"), default=0)
    maximum = models.PositiveIntegerField(_("maximum choices"), default=1, validators=[MinValueValidator(1)])
    items = models.ManyToManyField(Item, blank=True, related_name="modifier_groups")
    under: models.ManyToManyField[Modifier, models.Model] = models.ManyToManyField(
        "Modifier",
        blank=True,
        related_name="modifier_groups",
        verbose_name=_("follow-up to"),
        help_text=_("The agent asks only when one of these modifiers is chosen."),
    )
    position = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet["ModifierGroup"].as_manager()

    class Meta:
        ordering = ("position", "id")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(maximum__gte=models.F("minimum")), name="group_maximum_covers_minimum"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Modifier(Named, KnownToPos, Availability, Labeled, TenantModel):
    """One choice of a group. Its price is added to that of the item."""

    tenant_path = "group__menu__organization_id"
    audited = Audited()

    group = models.ForeignKey(ModifierGroup, models.CASCADE, related_name="modifiers")
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0, validators=[MinValueValidator(0)])
    is_default = models.BooleanField(_("default"), default=False, help_text=_("Used when the caller does not choose."))

    objects = TenantQuerySet["Modifier"].as_manager()

    class Meta(Named.Meta):
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="modifier_price_is_not_negative")]


MOST_WORDS = 200


class SpokenWord(TenantModel):
    """One word or phrase. The shipped words stay; where both say something of a word, the organization's holds."""

    class Kind(models.TextChoices):
        WITHOUT = Role.WITHOUT.value, _("Removes what follows (“without”)")
        FREE = Role.FREE.value, _("Removes what precedes it (“-free”)")
        LESS = Role.LESS.value, _("Less of it; the agent asks (“easy on”)")
        MORE = Role.MORE.value, _("More of it (“extra”)")
        ONLY = Role.ONLY.value, _("Only this; the agent asks (“just”)")
        ASIDE = Role.ASIDE.value, _("On the side; the agent asks (“on the side”)")
        WITH = Role.WITH.value, _("Adds what follows (“with”)")
        AND = Role.AND.value, _("Joins two (“and”)")
        FILLER = Role.FILLER.value, _("Has no meaning (“please”)")
        CONTENT = Role.CONTENT.value, _("Ordinary word, without a special meaning")
        KNOWN = KNOWN, _("Correct word, never a misspelling of another")

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="spoken_words")
    kind = models.CharField(_("meaning"), max_length=12, choices=Kind.choices)
    text = models.CharField(
        _("word or phrase"), max_length=40, help_text=_("As callers say it. Case and accents do not matter.")
    )

    objects = TenantQuerySet["SpokenWord"].as_manager()

    class Meta:
        ordering = ("kind", "text")
        verbose_name = _("spoken word")
        constraints = [models.UniqueConstraint(fields=("organization", "text"), name="one_meaning_per_spoken_word")]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        if not any(character.isalnum() for character in self.text):
            raise ValidationError({"text": gettext("Enter a word as callers say it.")})
        others = SpokenWord.objects.filter(organization_id=self.organization_id).exclude(pk=self.pk)
        if others.count() >= MOST_WORDS:
            raise ValidationError(
                gettext("An organization has at most %(most_words)s words of its own.") % {"most_words": MOST_WORDS}
            )
