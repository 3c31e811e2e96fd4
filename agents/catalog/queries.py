"""Reads what an organization sells and books into values: the menu in eight queries, whatever its size.

One more where a part of it is sold at some times of day only.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from agents.organizations.models import Organization

from .dayparts import Serving, load_servings
from .models import Item, Menu, Modifier, ModifierGroup, Service, Size, SpokenWord
from .offers import Catalog, Counted, GroupOffer, ItemOffer, ModifierOffer, ServiceOffer, Services, SizeOffer
from .spoken import DEFAULT_TABLE
from .spoken.table import WordTable

# A group under a modifier of a group under a modifier: deeper nesting cannot be ordered by voice.
DEEPEST_GROUP = 3


def load_catalog(organization_id: UUID, now: dt.datetime, *, held: Mapping[Counted, int] | None = None) -> Catalog:
    """All active menus as they are now. `held` counts as left: what the order to be replaced will release."""
    organization = _organization(organization_id)
    items = _Loading(organization, now, held or {}).items_sold()
    return Catalog(organization.currency, items, _is_tax_included(organization), words_of(organization_id))


def load_menu(menu: Menu, now: dt.datetime, *, with_unpriced: bool = True) -> Catalog:
    """One menu, active or not; `with_unpriced` also the items that have no price yet (at 0), which are not sold."""
    organization = _organization(menu.organization_id)
    loading = _Loading(organization, now, {}, menu)
    items = loading.every_item() if with_unpriced else loading.items_sold()
    return Catalog(organization.currency, items, _is_tax_included(organization), words_of(organization.pk))


def load_services(organization_id: UUID) -> Services:
    """All active services."""
    organization = _organization(organization_id)
    rows = Service.objects.filter(organization_id=organization_id, is_active=True).order_by("position", "id")
    offers = tuple(map(offer_of, rows))
    return Services(organization.currency, offers, _is_tax_included(organization), words_of(organization_id))


def offer_of(service: Service) -> ServiceOffer:
    return ServiceOffer(
        id=service.pk,
        name=service.name,
        price=service.price or Decimal(0),
        spoken_forms=service.spoken_forms,
        is_priced=service.price is not None,
        duration_minutes=service.duration_minutes,
        description=service.description,
    )


def _organization(organization_id: UUID) -> Organization:
    """With what a menu needs of it."""
    columns = ("currency", "tax_percent", "prices_include_tax", "time_zone")
    return Organization.objects.only(*columns).get(pk=organization_id)


def _is_tax_included(organization: Organization) -> bool:
    """Whether prices contain a tax."""
    return organization.prices_include_tax and organization.tax_percent > 0


def words_of(organization_id: UUID) -> WordTable:
    """The shipped words, with the organization's own."""
    own_words = SpokenWord.objects.filter(organization_id=organization_id).order_by().values_list("kind", "text")
    return DEFAULT_TABLE.extended(tuple(sorted(own_words)))


def _place(row: Item | Size | ModifierGroup | Modifier) -> tuple[int, int]:
    return row.position, row.pk


def _place_on_the_menu(item: Item) -> tuple[int, int, int, int, int]:
    category = item.category
    return category.menu_id, category.position, category.pk, *_place(item)


def _daypart_of(item: Item) -> int | None:
    category = item.category
    return item.daypart_id or category.daypart_id or category.menu.daypart_id


class _Loading:
    """The rows of all active menus, or of one menu."""

    def __init__(
        self, organization: Organization, now: dt.datetime, held: Mapping[Counted, int], menu: Menu | None = None
    ) -> None:
        self.now = now
        self.held = held
        of_menu: dict[str, Any] = {"menu__organization_id": organization.pk, "menu__is_active": True}
        if menu is not None:
            of_menu = {"menu": menu.pk}
        # Ordered here: a database's order costs as much again to put into SQL, for each call that rings.
        self.items = list(
            Item.objects.filter(**{f"category__{path}": value for path, value in of_menu.items()})
            .select_related("category__menu")
            .order_by()
        )
        self.items.sort(key=_place_on_the_menu)
        self.sizes: defaultdict[int, list[Size]] = defaultdict(list)
        for size in sorted(Size.objects.filter(item__in=[item.pk for item in self.items]).order_by(), key=_place):
            self.sizes[size.item_id].append(size)
        self.groups = {group.pk: group for group in ModifierGroup.objects.filter(**of_menu).order_by()}
        self.modifiers: defaultdict[int, list[Modifier]] = defaultdict(list)
        for modifier in sorted(Modifier.objects.filter(group__in=self.groups).order_by(), key=_place):
            self.modifiers[modifier.group_id].append(modifier)
        self.of_item = self._links(ModifierGroup.items.through, "item")
        self.of_modifier = self._links(ModifierGroup.under.through, "modifier")
        dayparts = {daypart for item in self.items if (daypart := _daypart_of(item)) is not None}
        self.servings = load_servings(dayparts, organization.zone)

    def _links(self, through: Any, owner: str) -> dict[int, list[ModifierGroup]]:
        links: defaultdict[int, list[ModifierGroup]] = defaultdict(list)
        pairs = through.objects.filter(modifiergroup__in=self.groups)
        for owner_id, group_id in pairs.values_list(owner, "modifiergroup"):
            links[owner_id].append(self.groups[group_id])
        for groups in links.values():
            groups.sort(key=_place)
        return links

    def items_sold(self) -> tuple[ItemOffer, ...]:
        """Those that have a price: their own, or those of their sizes."""
        return tuple(self._item(item) for item in self.items if item.price is not None or self.sizes[item.pk])

    def every_item(self) -> tuple[ItemOffer, ...]:
        """Also those without a price."""
        return tuple(map(self._item, self.items))

    def _serving(self, item: Item) -> Serving | None:
        """When it is sold: its own times, else those of its category, else those of its menu; None: always."""
        daypart = _daypart_of(item)
        return None if daypart is None else self.servings.get(daypart)

    def _item(self, item: Item) -> ItemOffer:
        is_available, count_left = self._stock("item", item)
        serving = self._serving(item)
        is_served = serving is None or serving.is_on_at(self.now)
        sizes = tuple(self._size(size) for size in self.sizes[item.pk])
        return ItemOffer(
            id=item.pk,
            name=item.name,
            price=min((size.price for size in sizes), default=Decimal(0)) if item.price is None else item.price,
            spoken_forms=item.spoken_forms,
            is_available=is_served and is_available and (not sizes or any(size.is_available for size in sizes)),
            count_left=count_left,
            category=item.category.name,
            menu=item.category.menu.name,
            description=item.description,
            most_per_order=item.most_per_order,
            sizes=sizes,
            groups=self._groups(self.of_item.get(item.pk, []), ()),
            allergens=tuple(item.allergens),
            served=serving.text if serving else "",
            back_at="" if serving is None or is_served else serving.next_at(self.now),
            is_served=is_served,
            serving=serving.schedule if serving else None,
        )

    def _size(self, size: Size) -> SizeOffer:
        is_available, count_left = self._stock("size", size)
        return SizeOffer(
            id=size.pk,
            name=size.name,
            price=size.price,
            spoken_forms=size.spoken_forms,
            is_available=is_available,
            count_left=count_left,
            is_default=size.is_default,
        )

    def _groups(self, groups: list[ModifierGroup], above: tuple[int, ...]) -> tuple[GroupOffer, ...]:
        return tuple(
            GroupOffer(
                id=group.pk,
                name=group.name,
                minimum=group.minimum,
                maximum=group.maximum,
                modifiers=tuple(self._modifier(row, (*above, group.pk)) for row in self.modifiers[group.pk]),
            )
            for group in groups
            # A group somewhere under itself is a mistake in the menu; the caller must not go round in circles.
            if group.pk not in above and len(above) < DEEPEST_GROUP
        )

    def _modifier(self, modifier: Modifier, above: tuple[int, ...]) -> ModifierOffer:
        is_available, count_left = self._stock("modifier", modifier)
        return ModifierOffer(
            id=modifier.pk,
            name=modifier.name,
            price=modifier.price,
            spoken_forms=modifier.spoken_forms,
            is_available=is_available,
            count_left=count_left,
            is_default=modifier.is_default,
            groups=self._groups(self.of_modifier.get(modifier.pk, []), above),
            allergens=tuple(modifier.allergens),
        )

    def _stock(self, kind: str, row: Item | Size | Modifier) -> tuple[bool, int | None]:
        if row.count_left is not None:
            row.count_left += self.held.get(Counted(kind, row.pk), 0)  # never saved: the rows live and die here
        return row.is_available_at(self.now), row.count_left
