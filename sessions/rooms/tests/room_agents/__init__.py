"""Agents in rooms, requested over real HTTP and dispatched by the simulator of LiveKit."""
