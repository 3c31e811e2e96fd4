"""What a small word means where names are spoken: an organization's own additions to the shipped table."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from agents.spoken.table import KNOWN, Role

from .organization import Organization
from .tenancy import TenantModel, TenantQuerySet

MOST_WORDS = 200


class SpokenWord(TenantModel):
    """One word or phrase. The shipped words stay; where both say something of a word, the organization's holds."""

    class Kind(models.TextChoices):
        WITHOUT = Role.WITHOUT.value, "leaves out what follows (“without”)"
        FREE = Role.FREE.value, "leaves out what stands before it (“-free”)"
        LESS = Role.LESS.value, "less of it: leads to a question (“easy on”)"
        MORE = Role.MORE.value, "more of it (“extra”)"
        ONLY = Role.ONLY.value, "nothing but it: leads to a question (“just”)"
        ASIDE = Role.ASIDE.value, "beside it: leads to a question (“on the side”)"
        WITH = Role.WITH.value, "adds what follows (“with”)"
        AND = Role.AND.value, "joins two (“and”)"
        FILLER = Role.FILLER.value, "means nothing and may be dropped (“please”)"
        CONTENT = Role.CONTENT.value, "an ordinary word, whatever else it would mean"
        KNOWN = KNOWN, "a word of its own, never a slip of another one"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="spoken_words")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    text = models.CharField(
        "word or phrase", max_length=40, help_text="As callers say it; case and accents do not matter."
    )

    objects = TenantQuerySet["SpokenWord"].as_manager()

    class Meta:
        ordering = ("kind", "text")
        verbose_name = "spoken word"
        constraints = [models.UniqueConstraint(fields=("organization", "text"), name="one_meaning_per_spoken_word")]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        if not any(character.isalnum() for character in self.text):
            raise ValidationError({"text": "Write a word as callers say it."})
        others = SpokenWord.objects.filter(organization_id=self.organization_id).exclude(pk=self.pk)
        if others.count() >= MOST_WORDS:
            raise ValidationError(f"An organization has at most {MOST_WORDS} words of its own.")
