"""The methods that JSON endpoints answer, each those that it has a handler for."""

from __future__ import annotations

# No OPTIONS, which would describe the fields: the schema does, and `Allow` names what is answered.
METHODS = ["get", "head", "post", "patch", "delete"]
