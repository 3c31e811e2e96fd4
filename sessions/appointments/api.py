"""`/api/realtime/appointment-times` and `/api/realtime/book-appointment`, for a bridge without a database."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from sessions.idempotency.api import NO_ORGANIZATION, PARAMETERS, Submission
from sessions.orders.draft import Refused
from voiceapp.core.api.errors import Problem, raised_as
from voiceapp.core.api.internal_key import InternalView
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample

from .serializers import BookAppointmentRequest, BookAppointmentResponse, TimesQuery, TimesResponse
from .services.booking import Customer
from .services.direct_booking import DirectBooking, book_directly
from .services.services_said import find_service
from .services.times_said import offer_times, wish_of
from .wording import say_start

# The message says why.
APPOINTMENT_REFUSED = Problem(422, message="Friday, December 4 at 9 am is taken.", code="appointment_refused")
NOT_SAVED = Problem(503, message="The appointment could not be saved. Send it again with the same key.")
SUBMISSION = Submission(
    body=BookAppointmentRequest,
    response=BookAppointmentResponse,
    needs="time",
    refused={Refused: APPOINTMENT_REFUSED},
    not_saved=NOT_SAVED,
)


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
        with raised_as(SUBMISSION.refused):
            service = find_service(organization, query["service"])
            offered = offer_times(organization, service, wish_of(organization, query.get("when", ""), now), now)
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
        parameters=PARAMETERS,
        request=BookAppointmentRequest,
        responses=SUBMISSION.responses,
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
        body, identity = SUBMISSION.read(request)
        customer = Customer(
            body["customerName"], body.get("customerNumber", ""), body.get("vehicle", ""), body.get("note", "")
        )
        wish = DirectBooking(**identity, service=body["service"], time=body["time"], customer=customer)
        return SUBMISSION.respond(lambda: book_directly(wish, now=timezone.now()))
