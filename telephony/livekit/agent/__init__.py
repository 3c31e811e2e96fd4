"""The agent in a LiveKit room: a worker on livekit-agents, a process of its own (`manage.py run_agent`).

LiveKit's library does playout and interruption. The published agent, its tools, and the tables of a call are those of
the phone. Its packages are in requirements-agent.txt; nothing that the web process imports imports this.
"""
