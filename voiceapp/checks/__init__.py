"""System checks: what production needs, and invalid values; each with an id and a fix."""

from __future__ import annotations

from django.core.checks import CheckMessage, Tags, register

from voiceapp.checks import aws, clerk, files, livekit, production, values, vapi


@register(Tags.security, deploy=True)
def check_production(**_: object) -> list[CheckMessage]:
    """Errors that make a production server unsafe or unable to take calls."""
    return [*production.keys(), *production.addresses(), *production.processes(), *livekit.production()]


@register()
def check_settings(**_: object) -> list[CheckMessage]:
    """Also for development: invalid values, and endpoints that refuse every request."""
    return [
        *values.values(),
        *values.internal_key(),
        *values.redis(),
        *clerk.clerk(),
        *livekit.livekit(),
        *aws.aws(),
        *files.files(),
        *vapi.vapi(),
    ]
