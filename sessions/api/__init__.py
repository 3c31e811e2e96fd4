"""JSON for other software: voice sessions, calls in rooms and their agents, and the internal API of orders."""
