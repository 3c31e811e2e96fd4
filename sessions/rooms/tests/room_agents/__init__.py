"""Agents in rooms, asked over real HTTP and sent by the local LiveKit."""
