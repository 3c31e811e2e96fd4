"""Responses that end without an answer, as the fault `ends` wants them.

`empty`; `text` alone; `mute`, with audio of no length; `cut` by length; `filtered` in the middle; `cancelled`;
`odd`, with a status that is none; `never`, after half a sentence.
"""

from __future__ import annotations

from voiceapp.simulators.openai.parts import Speak
from voiceapp.simulators.openai.response import Response

_WORDS = "I am sorry, what was that?"
_HALF = "We have pizza and"


async def end_badly(response: Response, how: str) -> bool:
    """Give the response this ending. Returns False when it is left without one."""
    match how:
        case "text":
            response.session = {**response.session, "output_modalities": ["text"]}
            await response.deliver([Speak(_WORDS)])
        case "mute":
            await response.be_mute()
        case "cut":
            await response.speak_half(_HALF)
            response.finish("incomplete", {"reason": "max_output_tokens"})
        case "filtered":
            await response.speak_half(_HALF)
            response.finish("incomplete", {"reason": "content_filter"})
        case "cancelled":
            response.finish("cancelled", {"reason": "client_cancelled"})
        case "odd":
            response.finish("expired")
        case "never":
            await response.speak_half(_HALF)
            return False
        case _:
            response.finish("completed")
    return True
