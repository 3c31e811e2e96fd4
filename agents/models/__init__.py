"""Who answers, what they sell, and who may ask."""

from .agent import Agent, AgentVersion, Persona
from .api_key import ApiKey
from .hours import OpeningHours, SpecialDay, TransferHours
from .menu import Category, Item, Menu, Modifier, ModifierGroup, Size
from .organization import Membership, Organization
from .realtime_endpoint import RealtimeEndpoint
from .spoken_word import SpokenWord
from .transfer_target import TransferTarget

__all__ = [
    "Agent",
    "AgentVersion",
    "ApiKey",
    "Category",
    "Item",
    "Membership",
    "Menu",
    "Modifier",
    "ModifierGroup",
    "OpeningHours",
    "Organization",
    "Persona",
    "RealtimeEndpoint",
    "Size",
    "SpecialDay",
    "SpokenWord",
    "TransferHours",
    "TransferTarget",
]
