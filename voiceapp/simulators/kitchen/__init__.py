"""The kitchen of the demo: it receives signed orders over HTTP, each message once, and prints a ticket for each.

Faults are injected by URL: `/fault/fail=2/orders` (each message fails twice), `/fault/hang/orders` (no response).
"""

from voiceapp.simulators.kitchen.server import KitchenSimulator

__all__ = ["KitchenSimulator"]
