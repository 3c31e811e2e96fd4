"""Calls in rooms, requested over real HTTP with the simulator of LiveKit."""
