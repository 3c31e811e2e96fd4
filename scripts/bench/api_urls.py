"""The product's addresses, and the reference's: a view that only authenticates and answers."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from voiceapp.urls import urlpatterns as products


class ReferenceView(CustomerView):
    """GET as well as POST, so that it may stand beside any endpoint."""

    scope_area = "calls"

    def get(self, request: Request) -> Response:
        return Response({"subject": self.principal.subject})

    def post(self, request: Request) -> Response:
        return self.get(request)


urlpatterns = [path("bench/reference", ReferenceView.as_view()), *products]
