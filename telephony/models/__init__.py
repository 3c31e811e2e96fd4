"""The outside line."""

from .media_stream import MediaStream
from .phone_number import PhoneNumber
from .provider_event import ProviderEvent

__all__ = ["MediaStream", "PhoneNumber", "ProviderEvent"]
