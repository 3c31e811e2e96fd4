"""The product's addresses, and the reference's: a view that only verifies LiveKit's signature and answers."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.urls import urlpatterns as products


@csrf_exempt
def reference(request: HttpRequest) -> JsonResponse:
    event = LiveKitClient.from_settings().verify_webhook(request.body, request.headers.get("Authorization", ""))
    return JsonResponse({"received": True, "event": event.event})


urlpatterns = [path("bench/reference", reference), *products]
