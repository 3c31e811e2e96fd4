"""Calls in rooms, asked for over real HTTP with the local LiveKit behind."""
