"""`GET /api/realtime/org-config`: an organization's configuration as a bridge without a database reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from agents.catalog.offers import GroupOffer, ItemOffer, ServiceOffer, SizeOffer
from agents.configuration.models import Agent
from agents.organizations.models import Organization
from sessions.calls.briefing import Briefing, CallLimits, TurnDetection
from sessions.orders.services.transfer_targets import Person
from voiceapp.core.api.fields import MoneyField

NOT_COUNTED = "Null: not counted."


@dataclass(frozen=True, slots=True)
class AgentConfiguration:
    """A published agent and its briefing."""

    agent: Agent
    version: int
    briefing: Briefing

    @property
    def reading_tools(self) -> list[str]:
        return sorted(self.briefing.reading_tools & {tool["name"] for tool in self.briefing.tools})


@dataclass(frozen=True, slots=True)
class OrganizationConfiguration:
    """An organization, its published default agent, its live menu and its transfer targets at one time."""

    organization: Organization
    is_open: bool
    hours: str
    agent: AgentConfiguration | None
    menu: list[dict[str, object]]
    services: tuple[ServiceOffer, ...]
    transfer_targets: list[Person]


class SizeBody(serializers.Serializer[SizeOffer]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    spokenForms = serializers.ListField(child=serializers.CharField(), source="spoken_forms")
    price = MoneyField()
    isAvailable = serializers.BooleanField(source="is_available")
    countLeft = serializers.IntegerField(source="count_left", allow_null=True, help_text=NOT_COUNTED)
    isDefault = serializers.BooleanField(source="is_default")


class NestedGroups(serializers.ListField):
    """The groups of a modifier have the shape of an item's: they are rendered by the serializer around it."""

    child = serializers.DictField()

    def to_representation(self, groups: Any) -> list[Any]:
        modifier: Any = self.parent
        return [modifier.parent.parent.to_representation(group) for group in groups]


class ModifierBody(SizeBody):
    groups = NestedGroups(help_text="Groups, as those of an item; they apply only when the modifier is chosen.")


class GroupBody(serializers.Serializer[GroupOffer]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    minimum = serializers.IntegerField()
    maximum = serializers.IntegerField()
    modifiers = ModifierBody(many=True)


class ItemBody(serializers.Serializer[ItemOffer]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    spokenForms = serializers.ListField(child=serializers.CharField(), source="spoken_forms")
    price = MoneyField(source="least_price")
    isAvailable = serializers.BooleanField(source="is_available")
    countLeft = serializers.IntegerField(source="count_left", allow_null=True, help_text=NOT_COUNTED)
    description = serializers.CharField(allow_blank=True)
    mostPerOrder = serializers.IntegerField(source="most_per_order", allow_null=True)
    sizes = SizeBody(many=True)
    groups = GroupBody(many=True)


class CategoryBody(serializers.Serializer[dict[str, object]]):
    category = serializers.CharField()
    items = ItemBody(many=True)


class AgentTurnDetection(serializers.Serializer[TurnDetection]):
    kind = serializers.ChoiceField(["server_vad", "semantic_vad"])
    threshold = serializers.FloatField()
    prefixPaddingMs = serializers.IntegerField(source="prefix_padding_ms")
    silenceMs = serializers.IntegerField(source="silence_ms")
    eagerness = serializers.CharField()


class AgentLimits(serializers.Serializer[CallLimits]):
    repromptAfterMs = serializers.IntegerField(source="reprompt_after_ms")
    goodbyeAfterMs = serializers.IntegerField(source="goodbye_after_ms")
    fillerAfterMs = serializers.IntegerField(source="filler_after_ms")
    longestCallMs = serializers.IntegerField(source="longest_call_ms")
    toolEndsWithinMs = serializers.IntegerField(
        source="tool_ends_within_ms", help_text="A tool that takes longer is reported to the model as not done."
    )


class AgentBody(serializers.Serializer[AgentConfiguration]):
    id = serializers.IntegerField(source="agent.pk")
    name = serializers.CharField(source="agent.name")
    version = serializers.IntegerField()
    isPaused = serializers.BooleanField(
        source="agent.is_paused", help_text="Callers hear that nobody can take their call."
    )
    model = serializers.CharField(source="briefing.model")
    voice = serializers.CharField(source="briefing.voice")
    language = serializers.CharField(source="briefing.language", allow_blank=True)
    instructions = serializers.CharField(
        source="briefing.instructions",
        help_text="The model's complete instructions: prompt, rules, hours, menu, transfer targets.",
    )
    keywords = serializers.ListField(
        child=serializers.CharField(), source="briefing.keywords", help_text="For the transcription."
    )
    tools = serializers.ListField(
        child=serializers.DictField(), source="briefing.tools", help_text="In the shape of a Realtime session."
    )
    readingTools = serializers.ListField(
        child=serializers.CharField(),
        source="reading_tools",
        help_text="Those that change nothing: they may run at the same time.",
    )
    transcriptionModel = serializers.CharField(source="briefing.transcription_model")
    noiseReduction = serializers.CharField(source="briefing.noise_reduction", allow_null=True)
    greeting = serializers.CharField(source="briefing.phrases.greeting", allow_blank=True)
    protectsGreeting = serializers.BooleanField(source="briefing.protects_greeting")
    reprompt = serializers.CharField(source="briefing.phrases.reprompt", allow_blank=True)
    filler = serializers.CharField(source="briefing.phrases.filler", allow_blank=True)
    silenceGoodbye = serializers.CharField(source="briefing.phrases.silence_goodbye", allow_blank=True)
    turnDetection = AgentTurnDetection(source="briefing.turn_detection")
    limits = AgentLimits(source="briefing.limits")


class TransferTargetBody(serializers.Serializer[Person]):
    id = serializers.CharField(source="slug", help_text="The name for the model.")
    name = serializers.CharField()
    whenToUse = serializers.CharField(source="when_to_use", allow_blank=True)
    isFallback = serializers.BooleanField(source="is_fallback")
    isThere = serializers.BooleanField(source="is_there")


class ServiceBody(serializers.Serializer[ServiceOffer]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    spokenForms = serializers.ListField(child=serializers.CharField(), source="spoken_forms")
    description = serializers.CharField(allow_blank=True)
    price = serializers.SerializerMethodField(help_text="Null: it depends on the work.")
    durationMinutes = serializers.IntegerField(source="duration_minutes")

    def get_price(self, service: ServiceOffer) -> str | None:
        return f"{service.price:.2f}" if service.is_priced else None


class OrganizationQuery(serializers.Serializer[Any]):
    orgId = serializers.UUIDField(help_text="The organization.")


class OrganizationResponse(serializers.Serializer[OrganizationConfiguration]):
    orgId = serializers.UUIDField(source="organization.pk")
    name = serializers.CharField(source="organization.name")
    timeZone = serializers.CharField(source="organization.time_zone", help_text="An IANA time zone.")
    currency = serializers.CharField(source="organization.currency")
    taxPercent = serializers.SerializerMethodField()
    pricesIncludeTax = serializers.BooleanField(source="organization.prices_include_tax")
    takesOrders = serializers.BooleanField(source="organization.takes_orders")
    largestOrderTotal = MoneyField(source="organization.largest_order_total")
    isOpen = serializers.BooleanField(source="is_open")
    hours = serializers.CharField(allow_blank=True, help_text="A sentence to say.")
    agent = AgentBody(allow_null=True, help_text="The default agent's published version.")
    menu = CategoryBody(many=True)
    services = ServiceBody(many=True)
    transferTargets = TransferTargetBody(many=True, source="transfer_targets")

    def get_taxPercent(self, configuration: OrganizationConfiguration) -> str:
        return f"{configuration.organization.tax_percent.normalize():f}"
