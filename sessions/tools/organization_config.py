"""An organization's configuration as a bridge without a database reads it (docs/internal-api.md)."""

from __future__ import annotations

import datetime as dt

from agents.catalog.offers import Catalog, GroupOffer, ItemOffer, ModifierOffer, Offer, SizeOffer
from agents.catalog.queries import load_catalog
from agents.configuration.models import Agent
from agents.hours.queries import load_schedule
from agents.hours.schedule import hours_sentence
from agents.organizations.models import Organization
from sessions.orders.services.transfer_targets import people_of

from .briefing import brief_agent


def org_config(organization: Organization, *, now: dt.datetime) -> dict[str, object]:
    """The organization, its published default agent fully briefed, its live menu and its people, at this moment."""
    schedule = load_schedule(organization)
    return {
        "orgId": str(organization.pk),
        "name": organization.name,
        "timeZone": organization.time_zone,
        "currency": organization.currency,
        "taxPercent": f"{organization.tax_percent.normalize():f}",
        "pricesIncludeTax": organization.prices_include_tax,
        "takesOrders": organization.takes_orders,
        "largestOrderTotal": f"{organization.largest_order_total:.2f}",
        "isOpen": schedule.is_open_at(now),
        "hours": hours_sentence(schedule, now),
        "agent": _agent(organization, now),
        "menu": _menu(load_catalog(organization.pk, now)),
        "transferTargets": [
            {
                "id": person.slug,
                "name": person.name,
                "whenToUse": person.when_to_use,
                "isFallback": person.is_fallback,
                "isThere": person.is_there,
            }
            for person in people_of(organization, now=now)
        ],
    }


def _agent(organization: Organization, now: dt.datetime) -> dict[str, object] | None:
    agent = (
        Agent.objects.filter(organization=organization, is_default=True, published_version__isnull=False)
        .select_related("published_version")
        .first()
    )
    if agent is None or agent.published_version is None:
        return None
    briefing = brief_agent(agent.published_version, organization, call_id="", now=now)
    detection, limits, phrases = briefing.turn_detection, briefing.limits, briefing.phrases
    return {
        "id": agent.pk,
        "name": agent.name,
        "version": agent.published_version.number,
        "isPaused": agent.is_paused,
        "model": briefing.model,
        "voice": briefing.voice,
        "language": briefing.language,
        "instructions": briefing.instructions,
        "keywords": list(briefing.keywords),
        "tools": list(briefing.tools),
        "readingTools": sorted(briefing.reading_tools & {tool["name"] for tool in briefing.tools}),
        "transcriptionModel": briefing.transcription_model,
        "noiseReduction": briefing.noise_reduction,
        "greeting": phrases.greeting,
        "protectsGreeting": briefing.protects_greeting,
        "reprompt": phrases.reprompt,
        "filler": phrases.filler,
        "silenceGoodbye": phrases.silence_goodbye,
        "turnDetection": {
            "kind": detection.kind,
            "threshold": detection.threshold,
            "prefixPaddingMs": detection.prefix_padding_ms,
            "silenceMs": detection.silence_ms,
            "eagerness": detection.eagerness,
        },
        "limits": {
            "repromptAfterMs": limits.reprompt_after_ms,
            "goodbyeAfterMs": limits.goodbye_after_ms,
            "fillerAfterMs": limits.filler_after_ms,
            "longestCallMs": limits.longest_call_ms,
            "toolEndsWithinMs": limits.tool_ends_within_ms,
        },
    }


def _menu(catalog: Catalog) -> list[dict[str, object]]:
    return [
        {"category": category, "items": [_item(item) for item in items]}
        for category, items in catalog.categories().items()
    ]


def _item(item: ItemOffer) -> dict[str, object]:
    return _offer(item) | {
        "price": f"{item.least_price:.2f}",
        "description": item.description,
        "mostPerOrder": item.most_per_order,
        "sizes": [_choice(size) for size in item.sizes],
        "groups": [_group(group) for group in item.groups],
    }


def _group(group: GroupOffer) -> dict[str, object]:
    return {
        "id": group.id,
        "name": group.name,
        "minimum": group.minimum,
        "maximum": group.maximum,
        "modifiers": [
            _choice(modifier) | {"groups": [_group(deeper) for deeper in modifier.groups]}
            for modifier in group.modifiers
        ],
    }


def _choice(offer: SizeOffer | ModifierOffer) -> dict[str, object]:
    return _offer(offer) | {"isDefault": offer.is_default}


def _offer(offer: Offer) -> dict[str, object]:
    return {
        "id": offer.id,
        "name": offer.name,
        "spokenForms": list(offer.spoken_forms),
        "price": f"{offer.price:.2f}",
        "isAvailable": offer.is_available,
        "countLeft": offer.count_left,
    }
