"""Calls in rooms, asked for over real HTTP with the simulator of LiveKit."""
