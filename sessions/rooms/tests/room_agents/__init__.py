"""Agents in rooms, asked over real HTTP and sent by the simulator of LiveKit."""
