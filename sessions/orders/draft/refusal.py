"""The one way in which the draft says no."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was changed; the message is a sentence that the model can say to the caller."""

    @property
    def say(self) -> str:
        return str(self)
