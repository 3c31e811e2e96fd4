"""What all JSON endpoints share: one strict parser of bodies, in which nothing is ignored."""

from __future__ import annotations

import io
from typing import Any

from django.http import HttpRequest, UnreadablePostError
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.views import APIView

from voiceapp.core.http.body_limits import JSON_BYTES

from .strict_json import StrictJSONParser, StrictSerializer

# No OPTIONS, which would describe the fields: the OpenAPI document does, and `Allow` lists the methods.
METHODS = ["get", "head", "post", "patch", "delete"]
WITHOUT_BODY = ("GET", "HEAD", "DELETE")


class JSONRequest(Request):
    """Reads the body itself: Django REST framework relies on Content-Length, which a chunked body does not have."""

    def _load_stream(self) -> None:
        request: HttpRequest = self._request
        try:
            body = request.read(JSON_BYTES + 1)
        except UnreadablePostError as exc:
            raise ParseError("The body did not arrive.") from exc
        if not body and request.content_type == "multipart/form-data" and hasattr(request, "_post"):
            # The CSRF check has parsed it as a form, and a form is never JSON.
            raise UnsupportedMediaType(request.content_type)
        self._stream = io.BytesIO(body) if body else None  # type: ignore[assignment]  # as in its own code


class JSONView(APIView):
    """A view whose requests are JSON. Handlers that take a body read `request.data`."""

    parser_classes = [StrictJSONParser]
    http_method_names = METHODS

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        return JSONRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Methods without a body raise 400 for one with fields, or for one that is no JSON."""
        super().initial(request, *args, **kwargs)
        if request.method in WITHOUT_BODY and request.method in self.allowed_methods:
            StrictSerializer(data=request.data).is_valid(raise_exception=True)
