"""How often each may ask: five limits, counted exactly, told on every answer (docs/limits.md)."""
