"""The behavior of the simulated model: it reads the menu and the conversation and decides what to say and to call."""
