"""Keys of realtime endpoints after SECRET_KEY was rotated: sealed again, so that the earlier one can go."""

from __future__ import annotations

from agents.models import RealtimeEndpoint
from voiceapp.lib.secret_box import SealBroken, resealed


def reseal_endpoint_keys() -> list[RealtimeEndpoint]:
    """Seal every key by today's SECRET_KEY; those that none of the secret keys opens are left and returned."""
    unreadable: list[RealtimeEndpoint] = []
    for endpoint in RealtimeEndpoint.objects.select_related("organization"):
        try:
            sealed = resealed(endpoint.sealed_key, place=endpoint.place)
        except SealBroken:
            unreadable.append(endpoint)
            continue
        # Only what was read: somebody may have written another key meanwhile.
        same = RealtimeEndpoint.objects.filter(pk=endpoint.pk, sealed_key=endpoint.sealed_key, origin=endpoint.origin)
        same.update(sealed_key=sealed)
    return unreadable
