"""The API's description for machines (OpenAPI 3.1) and for people: what the views cannot say by themselves.

Each app has a module `schema` that describes its views by `describe`; whoever asks for the document imports them.
"""

from .operations import Area, Header, Operation, Sample, describe, describe_plain
from .refusals import refused

__all__ = ["Area", "Header", "Operation", "Sample", "describe", "describe_plain", "refused"]
