"""`GET /api/realtime/org-config`: an organization's configuration for a bridge without a database."""

from __future__ import annotations

import uuid

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from sessions.idempotency.api import NO_ORGANIZATION
from sessions.tools.organization_config import load_configuration
from sessions.tools.serializers import OrganizationQuery, OrganizationResponse
from voiceapp.core.api.errors import INVALID_FIELDS, Problem
from voiceapp.core.api.internal_key import InternalView
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample

ORGANIZATION_MISSING = {"orgId": ["Name the organization."]}


class OrgConfigView(InternalView):
    @extend_schema(
        operation_id="readOrganization",
        tags=["Internal"],
        summary="Read an organization",
        description="Its agent fully briefed, its menu and its transfer targets, as they are now.",
        parameters=[OrganizationQuery],
        responses={
            200: OrganizationResponse,
            **errors(
                Problem(400, message=INVALID_FIELDS, code="invalid", fields=ORGANIZATION_MISSING), NO_ORGANIZATION
            ),
        },
        extensions=samples(Sample("Read the demo", query={"orgId": "$ORG"}, key="INTERNAL_API_KEY")),
    )
    def get(self, request: Request) -> Response:
        organization_id = request.query_params.get("orgId", "")
        if not organization_id:
            raise ValidationError(ORGANIZATION_MISSING)
        try:
            organization = Organization.objects.get(pk=uuid.UUID(organization_id))
        except (ValueError, Organization.DoesNotExist) as exc:
            raise NO_ORGANIZATION.error() from exc
        return Response(OrganizationResponse(load_configuration(organization, now=timezone.now())).data)
