"""VAPI's own SDK, which would build all its 1,500 models, for 12 s: here each one when it is first used."""

from __future__ import annotations

from vapi import Vapi
from vapi import types as vapi_types
from vapi.core import pydantic_utilities

__all__ = ["Vapi", "vapi_types"]

pydantic_utilities.UniversalBaseModel.model_config["defer_build"] = True
pydantic_utilities.update_forward_refs = lambda model, **localns: None
