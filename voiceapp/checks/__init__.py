"""System checks: what production must not lack and what cannot be meant, each with an id and a fix."""

from __future__ import annotations

from django.core.checks import CheckMessage, Tags, register

from voiceapp.checks import aws, clerk, livekit, production, values


@register(Tags.security, deploy=True)
def check_production(**_: object) -> list[CheckMessage]:
    """Errors for what makes a production server unsafe or deaf."""
    return [*production.keys(), *production.addresses(), *production.processes(), *livekit.production()]


@register()
def check_settings(**_: object) -> list[CheckMessage]:
    """What helps on a laptop too: values that cannot be meant, and doors that stay shut."""
    return [*values.values(), *values.doors(), *values.redis(), *clerk.clerk(), *livekit.livekit(), *aws.aws()]
