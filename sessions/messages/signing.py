"""The secret with which what is posted to an organization is signed."""

from __future__ import annotations

from agents.organizations.models import Organization
from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.core.secret_box import SealBroken


def signing_secret_of(organization: Organization) -> str:
    """Raises NotConfigured where it cannot be read: nothing is sent unsigned."""
    try:
        return organization.orders_secret
    except SealBroken as exc:
        raise NotConfigured(
            "The order webhook secret cannot be decrypted: SECRET_KEY has changed. Enter a new one on the "
            "organization's page, or add the earlier key to SECRET_KEY_FALLBACKS."
        ) from exc
