"""`/api/realtime/appointment-times` and `/api/realtime/book-appointment`, for a bridge without a database."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from sessions.orders.api import (
    IDEMPOTENCY_PARAMETER,
    KEY_REUSED,
    NO_ORGANIZATION,
    RETRY_AFTER_S,
    UNKNOWN_CALL,
    digest_of,
    read_idempotency_key,
)
from sessions.orders.draft import Refused
from sessions.orders.services.direct_orders import KeyReused, NumberRefused, UnknownCall
from voiceapp.core.api.errors import Problem, raised_as
from voiceapp.core.api.internal_key import InternalView
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.transactions import NotSaved

from .serializers import BookAppointmentRequest, BookAppointmentResponse, TimesQuery, TimesResponse
from .services.booking import Customer
from .services.direct_booking import DirectBooking, book_directly
from .services.services_said import find_service
from .services.times_said import offer_times, wish_of
from .wording import say_start

# The message says why.
APPOINTMENT_REFUSED = Problem(422, message="Friday, December 4 at 9 am is taken.", code="appointment_refused")
NOT_SAVED = Problem(503, message="The appointment could not be saved. Send it again with the same key.")


class AppointmentTimesView(InternalView):
    @extend_schema(
        operation_id="findAppointmentTimes",
        tags=["Internal"],
        summary="Find appointment times",
        description="Free times for a service near what a caller wishes, at most three.",
        parameters=[TimesQuery],
        responses={
            200: TimesResponse,
            **errors(
                TimesQuery.invalid({"service": ["This field is required."]}), NO_ORGANIZATION, APPOINTMENT_REFUSED
            ),
        },
        extensions=samples(
            Sample(
                "Tomorrow",
                query={"orgId": "$ORG", "service": "Inspection", "when": "tomorrow"},
                key="INTERNAL_API_KEY",
            )
        ),
    )
    def get(self, request: Request) -> Response:
        query = TimesQuery.of_query(request)
        organization = Organization.objects.filter(pk=query["orgId"]).first()
        if organization is None:
            raise NO_ORGANIZATION.error()
        now = timezone.now()
        try:
            service = find_service(organization, query["service"])
            offered = offer_times(organization, service, wish_of(organization, query.get("when", ""), now), now)
        except Refused as exc:
            raise APPOINTMENT_REFUSED.error(exc.say) from exc
        found = {
            "service": service.name,
            "say": offered.say,
            "as_wished": offered.suits,
            "times": [
                {"starts_at": start, "say": say_start(start, now, organization.zone)} for start in offered.starts
            ],
        }
        return Response(TimesResponse(found).data)


class BookAppointmentView(InternalView):
    """Once per Idempotency-Key."""

    @extend_schema(
        operation_id="bookAppointment",
        tags=["Internal"],
        summary="Book an appointment",
        description="One of the offered times. Price and length are those of the service now. The same key and body "
        "again return the same appointment.",
        parameters=[
            IDEMPOTENCY_PARAMETER,
            OpenApiParameter(
                "Idempotent-Replayed",
                location=OpenApiParameter.HEADER,
                response=[201],
                description="`true` if this appointment was booked before by the same key.",
            ),
        ],
        request=BookAppointmentRequest,
        responses={
            201: BookAppointmentResponse,
            **errors(
                BookAppointmentRequest.invalid({"time": ["This field is required."]}),
                NO_ORGANIZATION,
                UNKNOWN_CALL,
                KEY_REUSED,
                APPOINTMENT_REFUSED,
                NOT_SAVED,
            ),
        },
        extensions=samples(
            Sample(
                "Book an oil change",
                headers={"Idempotency-Key": "appointment-$RANDOM$RANDOM"},
                body={
                    "orgId": "$ORG", "service": "Oil change", "time": "in two weeks at 9 am",
                    "customerName": "Alice",
                },
                key="INTERNAL_API_KEY",
            )
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        key = read_idempotency_key(request)
        body = BookAppointmentRequest.of_body(request)
        wish = DirectBooking(
            organization_id=body["orgId"],
            idempotency_key=key,
            request_digest=digest_of(request.data),
            service=body["service"],
            time=body["time"],
            customer=Customer(
                body["customerName"], body.get("customerNumber", ""), body.get("vehicle", ""), body.get("note", "")
            ),
            call_id=body.get("callId"),
        )
        try:
            with raised_as({UnknownCall: UNKNOWN_CALL, KeyReused: KEY_REUSED}):
                appointment, was_booked = book_directly(wish, now=timezone.now())
        except Organization.DoesNotExist as exc:
            raise NO_ORGANIZATION.error() from exc
        except NumberRefused as exc:
            raise BookAppointmentRequest.invalid({"customerNumber": [str(exc)]}).error() from exc
        except Refused as exc:
            raise APPOINTMENT_REFUSED.error(exc.say) from exc
        except NotSaved as exc:
            raise NOT_SAVED.error(retry_after_s=RETRY_AFTER_S) from exc
        headers = {"Idempotent-Replayed": "true"} if was_booked else None
        return Response(BookAppointmentResponse(appointment).data, status=status.HTTP_201_CREATED, headers=headers)
