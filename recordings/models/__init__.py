"""What we kept of calls."""

from .recording import Recording

__all__ = ["Recording"]
