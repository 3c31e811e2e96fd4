"""What stands before the application: connections and request bodies are bounded before anything else runs.

None of it touches a WebSocket: after the upgrade neither a timer nor a line of this package runs for it.
"""
