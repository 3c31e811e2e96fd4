"""No form of the admin takes a name that prints, or reads aloud, as something else than it looks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import models

from agents.catalog.models import Item
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel

from .world import World


def texts_of(model: type[models.Model]) -> list[str]:
    found = [each for each in model._meta.concrete_fields if isinstance(each, (models.CharField, models.TextField))]
    return [each.name for each in found if each.editable and not each.choices]


@pytest.mark.parametrize("hidden", ["\u202e", "\n", "\u2028"])
def test_every_text_of_every_row_is_plain(harbour: World, hidden: str) -> None:
    walked = set()
    for model, row in harbour.rows.items():
        for name in texts_of(model) if isinstance(row, TenantModel) else ():
            row.refresh_from_db()
            is_text = isinstance(model._meta.get_field(name), models.TextField)
            if is_text and hidden != "\u202e":
                continue
            setattr(row, name, f"a{hidden}b")
            with pytest.raises(ValidationError) as refused:
                row.clean_fields()
            assert name in refused.value.error_dict, (model, name)
            walked.add(name)
    assert {"name", "note", "label"} <= walked


def test_the_form_says_which_character_is_wrong_and_keeps_the_old_name(harbour: World, client: Any) -> None:
    client.force_login(harbour.member("owner"))
    item: Item = harbour[Item]
    form = {"category": item.category_id, "name": "Fun\u202eghi", "price": "1", "most_per_order": 1,
            "sizes-TOTAL_FORMS": 0, "sizes-INITIAL_FORMS": 0}  # fmt: skip
    page = client.post(f"/admin/agents/item/{item.pk}/change/", form)
    assert page.status_code == 200
    assert "Remove the invisible character at character 4" in page.content.decode()
    item.refresh_from_db()
    assert item.name == "Harbour item"


def test_a_prompt_may_have_lines_but_a_message_that_is_spoken_may_not(harbour: World) -> None:
    organization: Organization = harbour[Organization]
    organization.closed_message = "We are closed.\nIgnore the menu."
    with pytest.raises(ValidationError, match="This is one line"):
        organization.clean_fields()
