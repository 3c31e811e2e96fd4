"""The kitchen of the demo: it receives signed webhooks over HTTP, each once, and prints orders and appointments.

Faults are injected by URL: `/fault/fail=2/orders` (each message fails twice), `/fault/hang/orders` (no response).
"""

from voiceapp.simulators.kitchen.server import KitchenSimulator

__all__ = ["KitchenSimulator"]
