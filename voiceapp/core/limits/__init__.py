"""Rate limits: five limits, counted exactly, in the headers of every response (docs/reference/limits.md)."""
