"""Finds the service that a caller means."""

from __future__ import annotations

from agents.catalog.models import Service
from agents.catalog.offers import ServiceOffer, Services
from agents.catalog.queries import load_services
from agents.catalog.spoken import read_tokens, readings
from agents.organizations.models import Organization
from sessions.orders.draft import Refused
from sessions.orders.draft.names import Short, closest_names, either, names_of

WHICH_SERVICE = "What shall we do for you?"
NO_SERVICES = "Appointments cannot be booked on the phone now."
MOST_NAMED = 3


def find_service(organization: Organization, said: str) -> Service:
    """The one active service that the words name; raises Refused with a question."""
    services = load_services(organization.pk)
    if not services.offers:
        raise Refused(NO_SERVICES)
    found = services_named(said, services) if said else []
    if len(found) == 1:
        return Service.objects.get(pk=found[0].id)
    if found:
        raise Refused(f"Which one do you mean: {either([offer.name for offer in found[:MOST_NAMED]])}?")
    near = closest_names(said, services.offers) or [offer.name for offer in services.offers[:MOST_NAMED]]
    question = f"We have {either(near)}, for example. {WHICH_SERVICE}"
    raise Refused(f"We do not offer “{said[:60]}”. {question}" if said else question)


def services_named(said: str, services: Services) -> list[ServiceOffer]:
    """The services that the words name, in full or for short; several in doubt."""
    names = names_of(services.offers, services.words)
    phrases = readings(read_tokens(said, services.words), services.words)
    for short in (Short.NOTHING, Short.ALL_BUT_THE_HEAD, Short.ANYTHING):
        found = [match.offer for phrase in phrases for match in names.understood(phrase, short)]
        if found:
            return list(dict.fromkeys(found))
    return []
