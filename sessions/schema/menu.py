"""An organization's configuration as the internal API answers it: its agent, its menu, its people."""

from __future__ import annotations

from rest_framework import serializers


def money() -> serializers.RegexField:
    return serializers.RegexField(r"^-?[0-9]+\.[0-9]{2}$", help_text="With two decimals.")


class Offer(serializers.Serializer[object]):
    """What an item, a size and a modifier have in common."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    spokenForms = serializers.ListField(child=serializers.CharField())
    price = money()
    isAvailable = serializers.BooleanField()
    countLeft = serializers.IntegerField(allow_null=True, help_text="Null: not counted.")


class SizeOffered(Offer):
    isDefault = serializers.BooleanField()


class ModifierOffered(SizeOffered):
    groups = serializers.ListField(
        child=serializers.DictField(), help_text="Groups, as those of an item; asked for only when it is chosen."
    )


class GroupOffered(serializers.Serializer[object]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    minimum = serializers.IntegerField()
    maximum = serializers.IntegerField()
    modifiers = ModifierOffered(many=True)


class ItemOffered(Offer):
    description = serializers.CharField(allow_blank=True)
    mostPerOrder = serializers.IntegerField(allow_null=True)
    sizes = SizeOffered(many=True)
    groups = GroupOffered(many=True)


class CategoryOffered(serializers.Serializer[object]):
    category = serializers.CharField()
    items = ItemOffered(many=True)


class TurnDetectionTold(serializers.Serializer[object]):
    kind = serializers.ChoiceField(["server_vad", "semantic_vad"])
    threshold = serializers.FloatField()
    prefixPaddingMs = serializers.IntegerField()
    silenceMs = serializers.IntegerField()
    eagerness = serializers.CharField()


class LimitsTold(serializers.Serializer[object]):
    repromptAfterMs = serializers.IntegerField()
    goodbyeAfterMs = serializers.IntegerField()
    fillerAfterMs = serializers.IntegerField()
    longestCallMs = serializers.IntegerField()
    toolEndsWithinMs = serializers.IntegerField(help_text="A tool that takes longer is answered as not done.")


class AgentTold(serializers.Serializer[object]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    isPaused = serializers.BooleanField(help_text="Callers hear that nobody can take their call.")
    model = serializers.CharField()
    voice = serializers.CharField()
    language = serializers.CharField(allow_blank=True)
    instructions = serializers.CharField(help_text="All that the model is told: prompt, conduct, hours, menu, people.")
    keywords = serializers.ListField(child=serializers.CharField(), help_text="For the transcription.")
    tools = serializers.ListField(child=serializers.DictField(), help_text="In the shape of a Realtime session.")
    readingTools = serializers.ListField(
        child=serializers.CharField(), help_text="Those that change nothing: they may run beside each other."
    )
    transcriptionModel = serializers.CharField()
    noiseReduction = serializers.CharField(allow_null=True)
    greeting = serializers.CharField(allow_blank=True)
    protectsGreeting = serializers.BooleanField()
    reprompt = serializers.CharField(allow_blank=True)
    filler = serializers.CharField(allow_blank=True)
    silenceGoodbye = serializers.CharField(allow_blank=True)
    turnDetection = TurnDetectionTold()
    limits = LimitsTold()


class TransferTargetTold(serializers.Serializer[object]):
    id = serializers.CharField(help_text="What the model names.")
    name = serializers.CharField()
    whenToUse = serializers.CharField(allow_blank=True)
    isFallback = serializers.BooleanField()
    isThere = serializers.BooleanField()


class OrganizationTold(serializers.Serializer[object]):
    orgId = serializers.UUIDField()
    name = serializers.CharField()
    timeZone = serializers.CharField(help_text="An IANA time zone.")
    currency = serializers.CharField()
    taxPercent = serializers.CharField()
    pricesIncludeTax = serializers.BooleanField()
    takesOrders = serializers.BooleanField()
    largestOrderTotal = money()
    isOpen = serializers.BooleanField()
    hours = serializers.CharField(allow_blank=True, help_text="A sentence to say.")
    agent = AgentTold(allow_null=True, help_text="The default agent's published version.")
    menu = CategoryOffered(many=True)
    transferTargets = TransferTargetTold(many=True)


class OrgConfigQuery(serializers.Serializer[object]):
    orgId = serializers.UUIDField(help_text="The organization.")
