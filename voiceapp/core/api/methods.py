"""The methods of JSON endpoints; each supports those that it has a handler for."""

from __future__ import annotations

# No OPTIONS, which would describe the fields: the OpenAPI document does, and `Allow` lists the methods.
METHODS = ["get", "head", "post", "patch", "delete"]
