"""The admin pages of the outside line, and the first page of the admin."""

from . import evidence, phone_number, provider_event

__all__ = ["evidence", "phone_number", "provider_event"]
