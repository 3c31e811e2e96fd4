"""A user's second factor: the secret of an authenticator app, and recovery codes for when it is lost."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models

from voiceapp.core.secret_box import seal, unseal


class TwoFactor(models.Model):
    """Not yet a factor until a first code has confirmed it. No code works twice: `last_step` is that of the newest."""

    # For `manage.py reseal_keys`: whose it is.
    tenant_path: ClassVar[str] = "user"

    user = models.OneToOneField(User, models.CASCADE, related_name="two_factor")
    sealed_secret = models.TextField(editable=False)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "second factor"

    def __str__(self) -> str:
        return "second factor"

    @property
    def place(self) -> str:
        """What the secret is sealed for: moved to another user it cannot be read."""
        return f"second factor|{self.user_id}"

    @property
    def secret(self) -> str:
        """In base32, as apps take it. Raises SealBroken."""
        return unseal(self.sealed_secret, place=self.place)

    @secret.setter
    def secret(self, secret: str) -> None:
        self.sealed_secret = seal(secret, place=self.place)


class RecoveryCode(models.Model):
    """One that was not used yet. Of its 79 random bits only the hash is kept."""

    two_factor = models.ForeignKey(TwoFactor, models.CASCADE, related_name="recovery_codes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("two_factor", "sha256"), name="recovery_codes_differ")]

    def __str__(self) -> str:
        return "recovery code"
