"""In front of the application: limits on connections and request bodies.

WebSockets are not affected: after the upgrade no timer and no code of this package runs for them.
"""
